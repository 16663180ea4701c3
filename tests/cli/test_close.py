"""The commands of closing, as people and build servers call them."""

from __future__ import annotations

import csv
import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Ran
from tests.factories import RIGHT, WRONG, a_label, a_trace, an_edit_signal
from tests.road import lay
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.signal import Right

Command = Callable[..., Ran]

APP = """
import threading

def right(given):
    return "Within 30 days."

def wrong(given):
    print("talking on standard output")
    return {"content": "You can return it within 60 days."}

async def later(given):
    return right(given)

def broken(given):
    raise ValueError("no luck")

def hanging(given):
    threading.Event().wait(60)

def judge(given, answer, expected):
    return "30" in answer
"""


@pytest.fixture
def filled(store: Wheel) -> Wheel:
    """Two failures, one of them corrected, and a pass."""
    with store.ledger.begin(store.project("default")) as tx:
        lay(tx, 1, label=a_label(corrected_output=RIGHT, critique="The policy says 30."))
        lay(tx, 2, label=a_label(corrected_output=None))
        lay(tx, 3, verdict=Verdict.passed)
    return store


@pytest.fixture
def app_module(folder: Path) -> Iterator[Path]:
    """An application in the working directory."""
    (folder / "shop.py").write_text(APP)
    yield folder
    sys.modules.pop("shop", None)


# --- close


def test_close_says_what_it_routed_and_twice_is_once(command: Command, filled: Wheel) -> None:
    assert command("close").out == "3 labels routed: 2 golden rows, 1 pair\n"
    again = command("close", "--json")
    assert (again.code, again.json) == (
        0,
        {"labels": 0, "golden": 0, "preferences": 0, "withheld": 0, "retired": 0},
    )


# --- export


def test_an_export_is_up_to_date_with_its_labels(command: Command, filled: Wheel, folder: Path) -> None:
    ran = command("export", "golden", "golden.jsonl")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "2 golden rows to golden.jsonl\n"
    rows = [json.loads(line) for line in (folder / "golden.jsonl").read_text().splitlines()]
    assert [row["expected"] for row in rows] == [RIGHT, None]
    assert rows[0]["provenance"]["label_id"] == "label-1"


def test_preferences_are_in_trls_format(command: Command, filled: Wheel) -> None:
    ran = command("export", "preferences")
    assert json.loads(ran.out) == {
        "prompt": [{"role": "user", "content": "How long do I have to return a kettle?"}],
        "chosen": [{"role": "assistant", "content": RIGHT}],
        "rejected": [{"role": "assistant", "content": WRONG}],
    }
    assert ran.err == "1 preference pair\n"


def test_what_lacks_a_right_is_left_out_and_counted(command: Command, store: Wheel, folder: Path) -> None:
    with store.ledger.begin(store.project("default")) as tx:
        kept_back = an_edit_signal(rights=frozenset({Right.retrieve}))
        lay(tx, 1, label=a_label(corrected_output=RIGHT), signals=[kept_back])
    assert command("export", "preferences", "pairs.jsonl").err == (
        "0 preference pairs to pairs.jsonl; 1 pair left out: no right of training\n"
    )
    assert (folder / "pairs.jsonl").read_text() == ""
    told = command("export", "golden", "golden.jsonl", "--json").json
    assert told == {"file": "golden.jsonl", "rows": 1, "withheld": 1, "quarantined": 0}
    assert RIGHT not in (folder / "golden.jsonl").read_text()
    command("export", "labels", "labels.jsonl")
    assert RIGHT not in (folder / "labels.jsonl").read_text()


def test_labels_are_json_lines_or_csv_by_the_files_name(command: Command, filled: Wheel, folder: Path) -> None:
    assert command("export", "labels", "labels.csv").code == 0
    with (folder / "labels.csv").open(newline="") as file:
        first, _, third = csv.DictReader(file)
    assert (first["trace_id"], first["verdict"], first["failed"], first["categories"]) == (
        "trace-1",
        "fail",
        "1",
        "wrong-fact",
    )
    assert (third["verdict"], third["failed"], third["categories"]) == ("pass", "0", "")
    assert first["inclusion_probability"] == "0.5"
    lines = [json.loads(line) for line in command("export", "labels").out.splitlines()]
    assert [line["id"] for line in lines] == ["label-1", "label-2", "label-3"]
    assert list(lines[0]) == list(first)


def test_an_empty_csv_still_names_its_columns(command: Command, folder: Path) -> None:
    assert command("export", "labels", "labels.csv").code == 0
    assert next(csv.reader(io.StringIO((folder / "labels.csv").read_text())))[0] == "id"


@pytest.mark.parametrize(
    ("what", "file", "more"),
    [("golden", "golden.csv", ()), ("golden", "golden", ()), ("labels", "x.parquet", ()), ("golden", "-", ("--json",))],
)
def test_a_file_name_that_says_no_format_is_wrong_use(command: Command, what: str, file: str, more: Any) -> None:
    ran = command("export", what, file, *more)
    assert ran.code == 2
    assert ran.err.count("\n") == 1


def test_a_file_that_cannot_be_written_leaves_nothing_behind(command: Command, filled: Wheel, folder: Path) -> None:
    ran = command("export", "golden", "no-such-folder/golden.jsonl")
    assert (ran.code, ran.err) == (
        3,
        "thumbwheel: Cannot write no-such-folder/golden.jsonl: No such file or directory.\n",
    )
    assert not list(folder.glob("**/*.part"))


# --- golden


def test_a_check_is_chosen_by_hand(command: Command, filled: Wheel) -> None:
    command("close")
    row = command("golden", "list", "--json").json["items"][0]
    assert row["check"]["kind"] == "equals"
    ran = command("golden", "check", row["id"], "--contains", "30 days")
    assert (ran.code, ran.out) == (0, f"{row['id']}: contains '30 days'\n")
    assert command("golden", "list", "--json").json["items"][0]["check"] == {
        "kind": "contains",
        "value": "30 days",
        "negate": False,
    }
    assert "contains '30 days'" in command("golden", "list").out


@pytest.mark.parametrize("options", [(), ("--contains", "a", "--regex", "b"), ("--regex", "("), ("--contains", " ")])
def test_a_check_that_is_none_is_wrong_use(command: Command, filled: Wheel, options: tuple[str, ...]) -> None:
    command("close")
    row = command("golden", "list", "--json").json["items"][0]
    assert command("golden", "check", row["id"], *options).code == 2


# --- fix


def test_a_fix_goes_from_added_to_shipped(command: Command, filled: Wheel) -> None:
    command("close")
    added = command("fix", "add", "--kind", "prompt", "--ref", "4f2c1aa", "--label", "label-1", "--json").json
    assert (added["label_ids"], added["shipped_at"]) == (["label-1"], None)
    assert (
        "answers 1 label, not shipped yet"
        in command("fix", "add", "--kind", "code", "--ref", "#3", "--category", "wrong-fact").out
    )
    assert command("fix", "ship", added["id"], "--at", "2026-11-20T09:00:00Z").code == 0
    listed = command("fix", "list", "--json").json["items"]
    assert [fix["reference"] for fix in listed] == ["#3", "4f2c1aa"]
    assert "shipped 2026-11-20, answers 1 label: wrong-fact" in command("fix", "list").out
    rows = command("golden", "list", "--json").json["items"]
    assert {row["provenance"]["label_id"]: row["status"] for row in rows} == {"label-1": "guarding", "label-2": "open"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("fix", "add", "--kind", "prompt", "--ref", "a", "--label", "no-such"), 2, "no live label 'no-such'"),
        (("fix", "add", "--kind", "prompt", "--ref", "a", "--label", "label-3"), 2, "says pass"),
        (("fix", "add", "--kind", "magic", "--ref", "a", "--label", "label-1"), 2, "not 'magic'"),
        (("fix", "add", "--kind", "prompt", "--ref", "a"), 2, "at least one label"),
        (("fix", "ship", "no-such"), 3, "no fix 'no-such'"),
        (("fix", "ship", "x", "--at", "yesterday"), 2, "no time"),
        (("fix", "ship", "x", "--at", "2026-11-20"), 2, "no time zone"),
    ],
)
def test_a_refusal_is_one_sentence(
    command: Command, filled: Wheel, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ran = command(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert ran.err.count("\n") == 1


# --- gate


def test_the_gate_passes_and_blocks_over_the_configured_store(
    command: Command, filled: Wheel, app_module: Path
) -> None:
    passed = command("gate", "--target", "shop:right")
    assert passed.code == 0
    assert "Nothing blocks in 2 golden rows: 2 cured." in passed.out
    blocked = command("gate", "--target", "shop:wrong")
    assert blocked.code == 1
    assert "Blocked by 2 of 2 golden rows: 2 still open." in blocked.out
    assert "talking" not in blocked.out
    assert "talking" in blocked.err
    assert command("gate", "--target", "shop:later").code == 0


def test_the_gate_reads_an_exported_file_without_any_store(command: Command, filled: Wheel, app_module: Path) -> None:
    command("export", "golden", "golden.jsonl")
    filled.stop()
    (app_module / "thumbwheel.db").unlink()
    assert command("gate", "--target", "shop:right", "--golden", "golden.jsonl").code == 0
    assert command("gate", "--target", "shop:wrong", "--golden", "golden.jsonl").code == 1
    assert command("gate", "--target", "shop:wrong", "--golden", "golden.jsonl", "--allow-open").code == 0
    assert not (app_module / "thumbwheel.db").exists()


def test_the_gate_writes_what_build_servers_read(command: Command, filled: Wheel, app_module: Path) -> None:
    ran = command("gate", "--target", "shop:wrong", "--junit", "gate.xml", "--markdown", "gate.md", "--json")
    assert ran.code == 1
    suite = ET.parse(app_module / "gate.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "2", "0")
    assert "Blocked by 2 of 2" in (app_module / "gate.md").read_text()
    told = ran.json
    assert told["blocked"] is True
    assert told["counts"]["still open"] == 2
    assert told["rows"][0]["answer"] == {"content": WRONG}
    assert told["rows"][0]["why"].startswith("the answer that failed came back")


def test_rows_that_raise_or_hang_block_and_the_rest_is_asked(command: Command, filled: Wheel, app_module: Path) -> None:
    ran = command("gate", "--target", "shop:broken", "--json")
    assert ran.code == 1
    assert {row["error"] for row in ran.json["rows"]} == {"ValueError: no luck"}
    ran = command("gate", "--target", "shop:hanging", "--timeout", "0.1")
    assert ran.code == 1
    assert "no answer" in ran.out
    assert "nothing within 0.1 s" in " ".join(ran.out.split())


def test_a_judge_check_needs_a_judge(command: Command, filled: Wheel, app_module: Path) -> None:
    command("close")
    for row in command("golden", "list", "--json").json["items"]:
        command("golden", "check", row["id"], "--judge", RIGHT)
    ran = command("gate", "--target", "shop:right")
    assert ran.code == 1
    assert "not judged" in ran.out
    assert command("gate", "--target", "shop:right", "--judge", "shop:judge").code == 0
    assert command("gate", "--target", "shop:wrong", "--judge", "shop:judge").code == 1


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--target", "shop"), 2, "write module:function"),
        (("--target", "shop:no_such"), 3, "has no function no_such"),
        (("--target", "no_such_shop:right"), 3, "Cannot import no_such_shop"),
        (("--target", "shop:right", "--golden", "no-such.jsonl"), 2, "Cannot read no-such.jsonl"),
        (("--target", "shop:right", "--golden", "shop.py"), 2, "Line 2 is not a golden row"),
        (("--target", "shop:right", "--junit", "no-such/gate.xml"), 3, "Cannot write no-such/gate.xml"),
        (("--target", "shop:right", "--judge", "shop:none"), 3, "has no function none"),
        (("--target", "shop:right", "--url", "http://127.0.0.1:9"), 3, "does not answer"),
    ],
)
def test_a_gate_that_cannot_run_never_passes(
    command: Command, filled: Wheel, app_module: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    ran = command("gate", *options)
    assert ran.code == code
    assert words in ran.err


def test_no_golden_rows_is_said_and_does_not_block(command: Command, app_module: Path) -> None:
    ran = command("gate", "--target", "shop:right")
    assert (ran.code, ran.out) == (0, "No golden rows, so nothing was checked.\n")


def test_terminal_codes_in_a_trace_are_not_obeyed(command: Command, store: Wheel, app_module: Path) -> None:
    with store.ledger.begin(store.project("default")) as tx:
        lay(tx, 1, trace=a_trace(id="trace-1", input="\x1b[2J\x1b]0;owned\x07hello", output=WRONG))
    ran = command("gate", "--target", "shop:wrong")
    assert "\x1b" not in ran.out
    assert "\x07" not in ran.out
    assert "hello" in ran.out


# --- the gate over HTTP


class _Pages(BaseHTTPRequestHandler):
    """Two pages of one golden row each, for whoever has the key."""

    rows: list[bytes]

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != "Bearer tw_sk_x":
            return self._answer(401, b'{"detail": "This API key is not valid here."}')
        if "cursor=second" in self.path:
            return self._answer(200, b'{"items": [' + self.rows[1] + b'], "next": null}')
        return self._answer(200, b'{"items": [' + self.rows[0] + b'], "next": "second"}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a test's server is silent."""


def test_the_gate_follows_a_servers_pages(
    command: Command, filled: Wheel, app_module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("export", "golden", "golden.jsonl")
    _Pages.rows = (app_module / "golden.jsonl").read_bytes().splitlines()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        monkeypatch.setenv("THUMBWHEEL_KEY", "tw_sk_x")
        ran = command("gate", "--target", "shop:wrong", "--url", url, "--json")
        assert (ran.code, len(ran.json["rows"])) == (1, 2)
        refused = command("gate", "--target", "shop:wrong", "--url", url, "--key", "tw_sk_other")
        assert refused.code == 3
        assert "refuses (401): This API key is not valid here." in refused.err
    finally:
        server.shutdown()
        server.server_close()
