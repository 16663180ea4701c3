"""Files of traces and signals: every row comes out, or is refused by line and kept."""

from __future__ import annotations

import builtins
import csv
import gzip
import io
import json
import stat
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thumbwheel.connectors import files
from thumbwheel.connectors.columns import Columns
from thumbwheel.connectors.fields import What
from thumbwheel.connectors.files import Format, RejectedFile, Row, RowFile
from thumbwheel.errors import ExtraMissing, Invalid

SHARED = Path(__file__).parents[3] / "shared" / "data" / "traces" / "nurtureboss_braintrust_export.shared.csv.gz"


def rows_of(folder: Path, content: str | bytes, name: str = "rows.csv", what: What = What.traces) -> list[Row]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(RowFile(path, what))


def items_of(folder: Path, content: str, name: str = "rows.csv", what: What = What.traces) -> list[dict[str, Any]]:
    rows = rows_of(folder, content, name, what)
    assert [row.error for row in rows] == [None] * len(rows)
    return [row.item for row in rows if row.item is not None]


def errors_of(rows: list[Row]) -> dict[int, str]:
    return {row.line: row.error.detail for row in rows if row.error is not None}


# --- JSONL


def test_each_line_of_jsonl_is_a_row_with_its_line_number(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, '\ufeff{"id": "a"}\r\n\n{"id": "b", "input": "\u2028 x"}', "rows.jsonl")
    assert [(row.line, row.item) for row in rows] == [(1, {"id": "a"}), (3, {"id": "b", "input": "\u2028 x"})]


def test_lines_that_are_not_objects_are_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    content = b'{"id": "a"}\n{"id": "b"\n[1]\n"c"\n{"id": "\xff"}\n' + b'{"a":' * 100_000 + b'\n{"id": "d"}\n'
    rows = rows_of(tmp_path, content, "rows.jsonl")
    assert [row.item for row in rows if row.item] == [{"id": "a"}, {"id": "d"}]
    errors = errors_of(rows)
    assert list(errors) == [2, 3, 4, 5, 6]
    assert "not JSON" in errors[2]
    assert errors[3] == "Expected an object, got list."
    assert errors[5] == "Line 5 is not UTF-8."
    assert rows[4].raw == '{"id": "\\xff"}'


def test_what_json_readers_let_through_is_left_for_the_field_to_be_named(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, '{"id": "\\ud800", "judge": {"score": NaN}}', "rows.jsonl")
    assert row.item is not None
    assert row.item["id"] == "\ud800"


@pytest.mark.parametrize("text", ['[\n{"id": "a"}\n]', '[{"id": "a"}]', '[ {"id": "a"},\n{"id": "b"}]'])
def test_a_json_list_is_refused_whole(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid, match="one object a line"):
        rows_of(tmp_path, text, "rows.json")


def test_a_line_longer_than_is_taken_is_refused_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 64)
    rows = rows_of(tmp_path, '{"id": "' + "a" * 200 + '"}\n{"id": "b"}\n', "rows.jsonl")
    assert errors_of(rows) == {1: "The line is longer than 64 bytes."}
    assert rows[1].item == {"id": "b"}
    assert rows[1].line == 2


# --- CSV


def test_cells_get_the_types_of_their_fields(tmp_path: Path) -> None:
    header = "id,started_at,input,output,tags,documents,judge,metadata,tool_calls,prompt_version,ended_at\n"
    cells = [
        "7",
        "2026-11-20T10:00:00Z",
        '[{"role": "user", "content": "hi"}]',
        "42",
        "a, b",
        '[{"id": "d1"}, "plain"]',
        "0.25",
        '{"k": 1}',
        "[]",
        "",
        "1763632800000",
    ]
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    (item,) = items_of(tmp_path, header + out.getvalue())
    assert item == {
        "id": "7",
        "started_at": "2026-11-20T10:00:00Z",
        "input": [{"role": "user", "content": "hi"}],
        "output": "42",
        "tags": ["a", "b"],
        "documents": [{"id": "d1"}, {"id": "2", "content": "plain"}],
        "judge": {"score": 0.25},
        "metadata": {"k": 1},
        "tool_calls": [],
        "ended_at": "2025-11-20T10:00:00+00:00",
    }


def test_text_that_only_looks_like_json_stays_text(tmp_path: Path) -> None:
    (item,) = items_of(tmp_path, 'id,input,output\na,"[1] see {this}",true\n')
    assert (item["input"], item["output"]) == ("[1] see {this}", "true")


def test_columns_nobody_knows_go_to_the_metadata_of_a_trace(tmp_path: Path) -> None:
    (item,) = items_of(tmp_path, 'id,tenant,metadata,metrics\na,acme,"{""k"": 1}","{""tokens"": 3}"\n')
    assert item["metadata"] == {"k": 1, "tenant": "acme", "metrics": {"tokens": 3}}


def test_paths_in_column_names_reach_inside_a_field(tmp_path: Path) -> None:
    (item,) = items_of(tmp_path, "id,judge.score,judge.name,metadata.Team\na,0.5,strict,Blue\n")
    assert item == {"id": "a", "judge": {"score": 0.5, "name": "strict"}, "metadata": {"Team": "Blue"}}


def test_other_tables_names_are_understood_where_ours_are_absent(tmp_path: Path) -> None:
    (item,) = items_of(tmp_path, "Trace_ID,Question,Answer,created_at,output\na,q,x,2026-11-20,y\n")
    assert item == {"id": "a", "input": "q", "started_at": "2026-11-20", "output": "y", "metadata": {"Answer": "x"}}


def test_a_mapping_given_by_hand_wins(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("key,said,output\na,q,y\n")
    (row,) = RowFile(path, What.traces, {"key": "id", "said": "input"})
    assert row.item == {"id": "a", "input": "q", "output": "y"}
    with pytest.raises(Invalid, match="no such field"):
        list(RowFile(path, What.traces, {"said": "nonsense"}))


def test_quoted_newlines_byte_order_mark_and_other_separators(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, '\ufeffid;input\n"a";"one\ntwo; three"\n\nb;"he said ""no"""\n')
    assert [(row.line, row.item) for row in rows] == [
        (2, {"id": "a", "input": "one\ntwo; three"}),
        (5, {"id": "b", "input": 'he said "no"'}),
    ]
    assert items_of(tmp_path, "id\tinput\na\tx,y\n", "rows.tsv") == [{"id": "a", "input": "x,y"}]


def test_broken_rows_of_a_csv_are_refused_by_line_and_the_rest_is_read(tmp_path: Path) -> None:
    content = b'id,input,metadata\na,x,{}\nb,\xe9,{}\nc,x\nd,x,{},{}\ne,"x"y,{}\nf,x,nonsense\ng,x,{}\n'
    rows = rows_of(tmp_path, content)
    assert [row.item["id"] for row in rows if row.item] == ["a", "g"]
    errors = errors_of(rows)
    assert list(errors) == [3, 4, 5, 6, 7]
    assert errors[3] == "Line 3 is not UTF-8."
    assert rows[1].error is not None
    assert rows[1].error.field == "input"
    assert errors[4] == "The row has 2 cells, the header 3."
    assert errors[5] == "The row has 4 cells, the header 3."
    assert "not CSV" in errors[6]
    assert errors[7] == "'nonsense' is not JSON."
    assert [row.raw for row in rows if row.error][1] == {"id": "c", "input": "x"}


def test_an_open_quote_costs_only_its_own_line(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'id,input\na,x\nb,"open\nc,y\nd,"two\nlines"\ne,z\n')
    assert [(row.line, row.item["id"]) for row in rows if row.item] == [(2, "a"), (4, "c"), (5, "d"), (7, "e")]
    assert list(errors_of(rows)) == [3]


def test_answers_of_a_megabyte_fit_in_a_cell(tmp_path: Path) -> None:
    (item,) = items_of(tmp_path, "id,output\na," + "x" * 2**20 + "\n")
    assert len(item["output"]) == 2**20


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,id\na,b\n", "comes twice"),
        ("colour,size\na,b\n", "None of the columns"),
        ('"id,input\na,b\n', "header is not CSV"),
    ],
)
def test_a_header_that_makes_no_sense_refuses_the_file(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        rows_of(tmp_path, content, what=What.signals)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "", "rows.csv") == rows_of(tmp_path, "", "rows.jsonl") == []


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))), max_size=6))
def test_any_text_written_as_csv_comes_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str]]
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("comment", "edited"), *texts])
    columns = Columns.of(["comment", "edited"], What.signals)
    rows = rows_of(tmp_path_factory.mktemp("csv"), out.getvalue().encode(), what=What.signals)
    assert not errors_of(rows)
    said = [(comment, edited) for comment, edited in texts if comment or edited]
    assert [row.item for row in rows] == [
        item for comment, edited in said for item in columns.items({"comment": comment, "edited": edited})
    ]


# --- signals


def test_a_table_of_thumbs_becomes_ratings(tmp_path: Path) -> None:
    thumbs = ["up", "👎", "1", "-1", "True", "dislike", "sideways"]
    rows = rows_of(tmp_path, "run_id,thumb\n" + "".join(f"t,{thumb}\n" for thumb in thumbs), what=What.signals)
    assert [row.item and row.item["value"] for row in rows] == ["up", "down", "up", "down", "up", "down", "sideways"]
    assert rows[0].item == {"trace_id": "t", "value": "up", "kind": "user_rating"}


def test_one_star_is_not_a_thumb_up(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "trace_id,rating\na,1\nb,-1\n", what=What.signals)
    assert "thumb or a star" in errors_of(rows)[2]
    assert rows[1].item == {"trace_id": "b", "value": "down", "kind": "user_rating"}


def test_a_row_that_says_several_things_is_several_signals(tmp_path: Path) -> None:
    content = "id,trace_id,user_id,value,reason,edited,seconds,comment\n9,t,u,down,too_long,better,12.5,hm\n"
    assert items_of(tmp_path, content, what=What.signals) == [
        {"id": "9", "trace_id": "t", "user_id": "u", "kind": "user_rating", "value": "down", "comment": "hm"},
        {"id": "9:reason", "trace_id": "t", "user_id": "u", "kind": "user_reason", "reason": "too_long"},
        {"id": "9:edited", "trace_id": "t", "user_id": "u", "kind": "user_edit", "edited": "better"},
        {"id": "9:seconds", "trace_id": "t", "user_id": "u", "kind": "implicit_dwell", "seconds": 12.5},
    ]


def test_a_kind_column_is_taken_at_its_word_and_unknown_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("trace_id,kind,seconds,browser\nt,implicit_dwell,3,x\nt,implicit_dwell,soon,x\n")
    found = RowFile(path, What.signals)
    first, second = found
    assert first.item == {"trace_id": "t", "kind": "implicit_dwell", "seconds": 3.0}
    assert second.error is not None
    assert second.error.field == "seconds"
    assert found.columns is not None
    assert found.columns.unused == ("browser",)


# --- Parquet, compression, formats


def test_parquet_rows_have_native_types(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    table = pa.table(
        {
            "id": [1, 2],
            "started_at": [at, at],
            "input": ['{"q": 1}', "text"],
            "judge": [0.5, float("nan")],
            "tags": [["a"], None],
            "documents": [[{"id": "d", "score": 0.1}], []],
            "cost": [Decimal("0.5"), None],
        }
    )
    path = tmp_path / "rows.parquet"
    parquet.write_table(table, path)
    found = RowFile(path, What.traces)
    assert (found.format, found.total, found.unit, found.done) == (Format.parquet, 2, "rows", 0)
    first, second = found
    assert found.done == 2
    assert first.item == {
        "id": "1",
        "started_at": "2026-11-20T10:00:00+00:00",
        "input": {"q": 1},
        "judge": {"score": 0.5},
        "tags": ["a"],
        "documents": [{"id": "d", "score": 0.1}],
        "metadata": {"cost": 0.5},
    }
    assert second.line == 2
    assert second.item is not None
    assert "judge" not in second.item


def test_parquet_without_pyarrow_names_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ExtraMissing, match=r"pip install 'thumbwheel\[parquet\]'"):
        RowFile(tmp_path / "rows.parquet", What.traces)


def test_a_broken_parquet_file_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(Invalid, match="not a Parquet file"):
        rows_of(tmp_path, b"PAR1 and nothing", "rows.parquet")


def test_gzip_is_read_whatever_the_name_and_progress_is_in_bytes_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(gzip.compress(b"id,input\n" + b"".join(b"%d,%d\n" % (n, n * 7919) for n in range(20_000))))
    found = RowFile(path, What.traces)
    assert (found.total, found.unit, found.done) == (path.stat().st_size, "bytes", 0)
    seen = [found.done for _ in found]
    assert len(seen) == 20_000
    assert seen == sorted(seen)
    assert 0 < seen[10_000] < found.total == found.done


def test_gzip_that_ends_early_gives_its_rows_and_one_refusal(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(b'{"id": "%d", "input": "%d"}\n' % (n, n * 7919) for n in range(5_000)))
    rows = rows_of(tmp_path, packed[: len(packed) // 2], "rows.jsonl.gz")
    assert len([row for row in rows if row.item]) > 100
    assert list(errors_of(rows)) == [rows[-1].line]
    assert "cannot be read on" in errors_of(rows)[rows[-1].line]


def test_formats_are_known_by_name_or_by_how_they_begin(tmp_path: Path) -> None:
    assert items_of(tmp_path, '{"id": "a"}', "export") == [{"id": "a"}]
    with pytest.raises(Invalid, match="UTF-16"):
        rows_of(tmp_path, "id,input\n".encode("utf-16"), "rows.csv")
    with pytest.raises(Invalid, match=r"is none of \.jsonl"):
        rows_of(tmp_path, "id\na\n", "rows.xlsx")


# --- what was refused


def test_refused_rows_are_kept_beside_the_input(tmp_path: Path) -> None:
    source = tmp_path / "week.csv"
    source.write_bytes(b"id,input,metadata\na,\xe9,{}\nb,x,nonsense\n")
    source.chmod(0o600)
    with RejectedFile(source) as rejected:
        for row in RowFile(source, What.traces):
            assert row.error is not None
            rejected.add(row, row.error)
    assert rejected.path == tmp_path / "week.csv.rejected.jsonl"
    assert stat.S_IMODE(rejected.path.stat().st_mode) == 0o600
    kept = [json.loads(line) for line in rejected.path.read_text().splitlines()]
    assert kept == [
        {
            "line": 2,
            "error": "Line 2 is not UTF-8.",
            "field": "input",
            "row": {"id": "a", "input": "\\xe9", "metadata": "{}"},
        },
        {
            "line": 3,
            "error": "'nonsense' is not JSON.",
            "field": "metadata",
            "row": {"id": "b", "input": "x", "metadata": "nonsense"},
        },
    ]
    assert rejected.n_rows == 2


def test_without_refusals_there_is_no_file_and_an_old_one_goes(tmp_path: Path) -> None:
    source = tmp_path / "week.jsonl"
    old = tmp_path / "week.jsonl.rejected.jsonl"
    source.write_text("{}\n")
    old.write_text("old\n")
    with RejectedFile(source):
        pass
    assert not old.exists()


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data set is not here")
def test_a_genuine_export_of_another_tool_is_read_whole() -> None:
    rows = list(RowFile(SHARED, What.traces))
    assert len(rows) == 39
    assert not errors_of(rows)
    items = [row.item for row in rows if row.item]
    assert all(isinstance(item["input"], list) and item["id"] and item["started_at"] for item in items)
    assert all(isinstance(item["metadata"]["metrics"], dict) for item in items)
    calls = [c for item in items for message in item["input"] for c in message.get("tool_calls") or []]
    assert len(calls) == 91
