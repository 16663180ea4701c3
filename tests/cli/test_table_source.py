"""The thumbs table a team already has: from PostgreSQL and from files, guessed, asked for, saved, and read once."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.postgres import create_database, drop_database
from thumbwheel.app import Wheel
from thumbwheel.domain.signal import SignalKind
from thumbwheel.errors import SourceUnavailable

Command = Callable[..., Ran]

FEEDBACK = """
CREATE TABLE feedback (
    pk bigserial PRIMARY KEY, message_id uuid, thumb smallint, why text, note text, created_at timestamptz, shop jsonb
);
INSERT INTO feedback (message_id, thumb, why, note, created_at, shop)
SELECT lpad(to_hex(n), 32, '0')::uuid, n % 2, CASE n % 4 WHEN 0 THEN 'Too long' END,
       CASE n % 8 WHEN 0 THEN '100%% wrong {0}' END, '2026-11-01'::timestamptz + n * interval '1 minute', '{"a": 1}'
FROM generate_series(1, 1200) AS n
"""
ALL = "SELECT * FROM feedback;"


@pytest.fixture
def database(postgres_server: str) -> Iterator[str]:
    url = create_database(postgres_server, "feedback")
    with psycopg.connect(url) as connection:
        connection.execute(FEEDBACK)
    yield url
    drop_database(postgres_server, "feedback")


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Someone sits at the terminal and answers so."""

    def sits(*answers: str) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        monkeypatch.setattr(sys, "stdin", Terminal("".join(f"{answer}\n" for answer in answers)))

    return sits


def kept(store: Wheel) -> list[tuple[str, Any]]:
    with store.ledger.read(store.project("default")) as tx:
        waiting = tx.signals.list_pending([f"{n:032x}" for n in range(1_300)])
    return [(trace_id, stored.signal) for trace_id, signals in waiting.items() for stored in signals]


def run_sql(database: str, statement: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statement)


# --- PostgreSQL


def test_a_table_is_pulled_once_then_only_what_is_new(command: Command, store: Wheel, database: str) -> None:
    pull = ("pull", "postgres", "--dsn", database, "--query", ALL, "--cursor", "created_at", "--json")
    first = command(*pull, "--map", "why=reason")
    assert first.code == 0, first.err
    assert "created_at" in first.err
    assert json.loads(first.out.splitlines()[-1]) == {
        "source": "feedback",
        "traces": 0,
        "observations": 0,
        "scores": 1500,
        "duplicates": 0,
        "rejected": 0,
        "skipped": 0,
        "rejected_file": None,
    }
    signals = kept(store)
    assert len(signals) == 1500
    assert {signal.kind for _, signal in signals} == {SignalKind.user_rating, SignalKind.user_reason}
    assert {signal.reason for _, signal in signals} == {None, "too_long"}
    assert sum(signal.comment == "100%% wrong {0}" for _, signal in signals) == 150

    run_sql(
        database,
        "INSERT INTO feedback (message_id, thumb, created_at) VALUES (lpad('f', 32, '0')::uuid, 1, '2026-11-02')",
    )
    run_sql(database, "INSERT INTO feedback (message_id, thumb) VALUES (lpad('e', 32, '0')::uuid, 1)")
    again = command(*pull)
    assert again.code == 0, again.err
    assert "your column" not in again.err
    told = again.json
    assert (told["scores"], told["rejected"]) == (2, 0)
    assert told["duplicates"] < 20

    run_sql(database, "UPDATE feedback SET thumb = 0, created_at = '2026-11-02 00:01' WHERE pk = 1")
    assert command(*pull).json["scores"] == 1
    everything = command(*pull, "--afresh").json
    assert (everything["scores"], everything["duplicates"]) == (0, 1502)


def test_a_row_from_the_future_hides_none_that_comes_after_it(command: Command, database: str) -> None:
    pull = ("pull", "postgres", "--dsn", database, "--query", ALL, "--cursor", "created_at", "--json")
    new = "INSERT INTO feedback (message_id, thumb, created_at) VALUES (lpad('f', 32, '0')::uuid, 1, {})"
    run_sql(database, new.format("now() + interval '9 years'"))
    first = command(*pull).json
    assert (first["scores"], first["rejected"]) == (1200, 1)
    run_sql(database, new.format("now()"))
    assert command(*pull).json["scores"] == 1


def test_a_pull_that_broke_off_goes_on_where_what_was_kept_ends(
    command: Command, store: Wheel, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from thumbwheel.connectors.postgres_table import PostgresTable

    rows, read = PostgresTable.rows, []

    def breaking(self: PostgresTable, after: str | None = None) -> Iterator[dict[str, Any]]:
        for number, row in enumerate(rows(self, after)):
            if number == 700:
                raise SourceUnavailable("PostgreSQL: gone")
            read.append(row["pk"])
            yield row

    pull = ("pull", "postgres", "--dsn", database, "--query", ALL, "--cursor", "pk")
    with monkeypatch.context() as patched:
        patched.setattr(PostgresTable, "rows", breaking)
        broken = command(*pull)
    assert broken.code == 3
    assert broken.err.endswith("thumbwheel: PostgreSQL: gone\n")
    assert len(kept(store)) == 500
    done = command(*pull, "--json").json
    assert (done["scores"], done["duplicates"]) == (700, 1)


def test_rows_with_question_and_answer_make_their_traces_unless_those_are_here(
    command: Command, store: Wheel, folder: Path, database: str
) -> None:
    row = {"id": "chat:2", "started_at": "2026-11-01T00:00:00Z", "input": "first", "output": "told by the application"}
    (folder / "t.jsonl").write_text(json.dumps(row))
    command("import", "traces", "t.jsonl")
    query = "SELECT pk AS id, 'question ' || pk AS question, 'answer' AS answer, thumb, created_at FROM feedback WHERE pk < 4"
    pull = ("pull", "postgres", "--dsn", database, "--query", query, "--name", "chat", "--json")
    told = command(*pull).json
    assert (told["traces"], told["scores"], told["source"]) == (2, 3, "chat")
    assert command(*pull).json["duplicates"] == 3
    project = store.project("default")
    assert store.capture.get(project, "chat:1").trace.input == "question 1"
    assert store.capture.get(project, "chat:2").trace.output == "told by the application"
    assert [s.rating for s in store.capture.get(project, "chat:2").signals] == ["down"]


def test_a_table_of_answers_is_traces(command: Command, store: Wheel, database: str) -> None:
    query = "SELECT message_id, created_at, 'q' AS question, 'a' AS answer, shop FROM feedback WHERE pk < 30"
    pull = ("pull", "postgres", "--dsn", database, "--query", query, "--what", "traces", "--json")
    told = command(*pull, "--map", "message_id=id").json
    assert (told["traces"], told["scores"], told["rejected"]) == (29, 0, 0)
    again = command(*pull).json
    assert (again["traces"], again["duplicates"]) == (0, 29)
    trace = store.capture.get(store.project("default"), f"{1:032x}").trace
    assert (trace.input, trace.output, trace.metadata) == ("q", "a", {"shop": {"a": 1}})


def test_of_many_refusals_the_first_are_said_and_all_are_kept(command: Command, folder: Path) -> None:
    (folder / "bad.csv").write_text("trace_id,kind,value\n" + "t,user_rating,sideways\n" * 50 + "t,user_rating,up\n")
    ran = command("import", "signals", "bad.csv", "--json")
    assert (ran.json["accepted"], ran.json["rejected"]) == (1, 50)
    assert ran.err.count("line ") == 20
    assert "and more" in ran.err
    assert len((folder / "bad.csv.rejected.jsonl").read_text().splitlines()) == 50


def test_rows_that_cannot_be_kept_are_left_in_a_file(command: Command, folder: Path, database: str) -> None:
    run_sql(database, "UPDATE feedback SET message_id = NULL WHERE pk = 5")
    ran = command(
        *("pull", "postgres", "--dsn", database, "--query", "SELECT * FROM feedback WHERE pk < 9"),
        *("--cursor", "pk", "--name", "a/b", "--json"),
    )
    assert ran.json["rejected"] == 1
    (row,) = map(json.loads, (folder / "a_b.rejected.jsonl").read_text().splitlines())
    assert (row["line"], row["field"], row["row"]["pk"]) == (5, "trace_id", 5)
    assert (folder / "a_b.rejected.jsonl").stat().st_mode & 0o77 == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--query", "SELECT nonsense"), 2, "refuses the query"),
        (("--query", " ; "), 2, "query is needed"),
        (("--query", "SELECT 1 AS a, 2 AS a"), 2, "comes twice"),
        (("--query", ALL, "--cursor", "nothing"), 2, "nothing"),
        (("--query", ALL, "--since", "2026-01-01"), 2, "--cursor"),
        (("--query", ALL, "--map", "x=value"), 2, "no column 'x'"),
        (("--query", "INSERT INTO feedback (thumb) VALUES (1) RETURNING *"), 2, "refuses the query"),
        (("--query", "SELECT 1) x; DELETE FROM feedback; SELECT * FROM (SELECT 1"), 2, "refuses the query"),
        (("--query", "SELECT setval('feedback_pk_seq', 7)"), 2, "read-only"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    command: Command, database: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = command("pull", "postgres", "--dsn", database, *arguments)
    assert ran.code == code
    assert said in ran.err
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM feedback").fetchone() == (1200,)


def test_a_database_that_does_not_answer_is_exit_three_and_its_password_stays_unsaid(command: Command) -> None:
    ran = command("pull", "postgres", "--dsn", "postgresql://u:hunter2@127.0.0.1:1/x", "--query", ALL)
    assert ran.code == 3
    assert "hunter2" not in ran.err + ran.out


# --- files, and being asked


WEIRD = "ref_key,msg_ref,mark,remark_x\n1,m1,5,good\n2,m2,1,bad\n3,m3,3,\n"


def test_doubts_without_anybody_to_ask_are_named_and_nothing_is_kept(command: Command, folder: Path) -> None:
    (folder / "w.csv").write_text(WEIRD)
    ran = command("import", "signals", "w.csv")
    assert ran.code == 2
    assert "msg_ref" in ran.err
    assert "--map COLUMN=value" in ran.err
    assert command("project", "show", "--json").json["chosen"] == {}


def test_answers_are_asked_for_once(command: Command, folder: Path, ask: Callable[..., None]) -> None:
    (folder / "w.csv").write_text(WEIRD)
    # msg_ref: first what is no field, then as guessed; no comment; what is missing; then what the three ranges stand for.
    ask("stars", "", "-", "mark", "", "up", "")
    ran = command("import", "signals", "w.csv", "--json")
    assert ran.code == 0, ran.err
    assert "your column" in ran.err
    assert "One of id, trace_id" in ran.err
    assert ran.json["accepted"] == 3
    saved = command("project", "show", "--json").json["chosen"]["tables"]["w"]
    assert saved["fields"] == {"ref_key": "", "msg_ref": "trace_id", "mark": "value", "remark_x": ""}
    assert saved["values"] == {"value": {"1..2": "down", "3..3": "up", "4..5": "up"}}
    (folder / "next-week.csv").write_text(WEIRD)
    ask()
    assert command("import", "signals", "next-week.csv", "--json").json["duplicates"] == 3


def test_objects_of_anybodys_own_are_a_table_too(command: Command, store: Wheel, folder: Path) -> None:
    lines = [{"messageId": f"m{n}", "thumb": n % 2 == 0, "extra": {"a": n}} for n in range(4)]
    (folder / "own.jsonl").write_text("\n".join(map(json.dumps, lines)))
    ran = command("import", "signals", "own.jsonl", "--json")
    assert ran.json["accepted"] == 4, ran.err
    with store.ledger.read(store.project("default")) as tx:
        waiting = tx.signals.list_pending(["m0", "m1"])
    assert [waiting[each][0].signal.rating for each in ("m0", "m1")] == ["up", "down"]
