"""Keys, people, files and draws from the command line."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from tests.cli.conftest import Ran
from thumbwheel.cli.main import app
from thumbwheel.cli.menu import ORDER

Command = Callable[..., Ran]


def a_row(number: int, **given: object) -> dict[str, object]:
    at = datetime.now(UTC) - timedelta(hours=30, minutes=number)
    return {"id": f"t{number}", "started_at": at.isoformat(), "input": "q", "output": "a", "category": "c"} | given


def write(path: Path, rows: Sequence[object]) -> str:
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_a_key_is_made_with_the_fields_programs_rely_on(command: Command) -> None:
    made = command("key", "create", "--scopes", "ingest,read", "--json").json
    assert set(made) == {"id", "public_key", "secret_key", "project", "scopes"}
    assert made["secret_key"].startswith("tw_sk_")
    assert made["public_key"].startswith("tw_pk_")
    assert (made["project"], made["scopes"]) == ("default", ["ingest", "read"])
    assert made["id"] in command("key", "list").out
    assert command("key", "revoke", made["id"]).code == 0
    assert made["id"] not in command("key", "list").out
    assert command("key", "revoke", made["id"]).code == 3


def test_a_scope_that_does_not_exist_is_wrong_use(command: Command) -> None:
    ran = command("key", "create", "--scopes", "everything")
    assert ran.code == 2
    assert "everything" in ran.err
    assert "Traceback" not in ran.err


def test_a_user_is_added_once_with_a_password_from_standard_input(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    made = command("user", "add", "ada", "--role", "owner", "--password-stdin", "--json").json
    assert (made["name"], made["role"]) == ("ada", "owner")
    assert "password" not in json.dumps(made)
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    assert command("user", "add", "ada", "--password-stdin").code == 3
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert command("user", "add", "ben", "--password-stdin").code == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    assert command("user", "add", "eve", "--role", "king", "--password-stdin").code == 2
    assert command("user", "list").out.strip() == "ada  owner"


def test_an_import_keeps_good_rows_and_says_of_each_bad_one_why(command: Command, folder: Path) -> None:
    first = a_row(1)
    rows = [first, a_row(2, started_at="yesterday"), "not json\n", a_row(3), first]
    file = write(folder / "week.jsonl", rows)
    ran = command("import", "traces", file, "--json")
    assert ran.code == 0
    assert ran.json["accepted"] == 2
    assert ran.json["duplicates"] == 1
    assert ran.json["rejected"] == 2
    assert "line 2" in ran.err
    assert "started_at" in ran.err
    assert "line 3" in ran.err
    kept = [json.loads(line) for line in Path(ran.json["rejected_file"]).read_text().splitlines()]
    assert [row["line"] for row in kept] == [2, 3]
    assert kept[0]["row"]["id"] == "t2"


def test_signals_of_a_thumbs_table_are_imported_once_however_often_it_is_read(command: Command, folder: Path) -> None:
    command("import", "traces", write(folder / "t.jsonl", [a_row(1), a_row(2)]))
    table = folder / "thumbs.csv"
    table.write_text(
        'trace_id,kind,value,comment\nt1,user_rating,down,"wrong, twice"\nt2,user_rating,up,\n,user_rating,up,\n'
    )
    first = command("import", "signals", str(table), "--json").json
    assert (first["accepted"], first["rejected"]) == (2, 1)
    again = command("import", "signals", str(table), "--json").json
    assert (again["accepted"], again["duplicates"]) == (0, 2)


def test_an_import_in_which_nothing_is_usable_answers_no(command: Command, folder: Path) -> None:
    assert command("import", "traces", write(folder / "bad.jsonl", ["nope\n"])).code == 1


def test_a_draw_is_shown_planned_and_made(command: Command, folder: Path) -> None:
    command("import", "traces", write(folder / "t.jsonl", [a_row(number) for number in range(60)]))
    command("alert", "odd", "--slice", "category=c", "--pull", "2")
    dry = command("sample", "--budget", "10", "--seed", "3", "--dry-run", "--json").json
    made = command("sample", "--budget", "10", "--seed", "3", "--json").json
    assert [entry["trace_id"] for entry in dry["entries"]] == [entry["trace_id"] for entry in made["entries"]]
    assert made["population"] == 60
    assert "drift" in {entry["policy"] for entry in made["entries"]}
    shown = command("sample", "--budget", "10", "--again").out
    assert "picked 10 of 60 traces" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mix", "sideways=1"), "sideways"),
        (("--mix", "random"), "random"),
        (("--window", "week"), "week"),
        (("--again",), "again"),
    ],
)
def test_a_draw_that_cannot_be_is_one_sentence(command: Command, words: tuple[str, ...], said: str) -> None:
    ran = command("sample", *words)
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_setting_that_cannot_be_is_one_sentence(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUMBWHEEL_DATABASE_URL", "mysql://x")
    ran = command("key", "list")
    assert ran.code == 3
    assert "THUMBWHEEL_DATABASE_URL" in ran.err


def test_an_alert_names_trace_fields_only(command: Command) -> None:
    assert command("alert", "odd", "--slice", "weather=rain").code == 2
    assert command("alert", "odd", "--slice", "category").code == 2


def test_help_lists_verbs_in_the_order_of_use_and_flags_without_a_type(command: Command) -> None:
    shown = command("--help").out
    verbs = ["demo", "serve", "import", "codebook", "sample", "queue", "gate", "fix", "report", "key"]
    places = [shown.index(f"│ {verb} ") for verb in verbs]
    assert places == sorted(places)
    (flag,) = (line for line in command("sample", "--help").out.splitlines() if "--json" in line)
    assert "<bool>" not in flag


def test_every_verb_has_a_place_in_the_help() -> None:
    assert sorted(ORDER) == sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_a_port_that_is_none_or_taken_is_said_before_any_work(command: Command, folder: Path) -> None:
    assert command("serve", "--port", "99999").code == 2
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = command("demo", "--port", str(taken.getsockname()[1]))
    assert ran.code == 3
    assert "Cannot listen on 127.0.0.1" in ran.err
    assert "--port" in ran.err
    assert not list(folder.iterdir())


def test_lists_that_are_empty_say_so(command: Command) -> None:
    assert "No golden rows yet" in command("golden", "list").out
    assert "No fixes yet" in command("fix", "list").out
    assert "No keys yet" in command("key", "list").out
    assert "Nobody can sign in yet" in command("user", "list").out


@pytest.mark.parametrize(
    ("written", "said"),
    [("[[[", "thumbwheel.toml cannot be read: "), ("colour = 3", "thumbwheel.toml: there is no setting 'colour'.")],
)
def test_a_settings_file_that_will_not_do_is_one_sentence(
    command: Command, folder: Path, written: str, said: str
) -> None:
    (folder / "thumbwheel.toml").write_text(written)
    ran = command("key", "list")
    assert ran.code == 3
    assert said in ran.err


def test_a_store_that_is_another_file_is_named(command: Command, folder: Path) -> None:
    (folder / "thumbwheel.db").write_bytes(b"not a store" * 1000)
    ran = command("report")
    assert ran.code == 3
    assert ran.err == "thumbwheel: The store sqlite:///thumbwheel.db does not answer: file is not a database.\n"


def test_a_key_may_do_everything_unless_told_otherwise(command: Command) -> None:
    made = command("key", "create", "--json").json
    assert (made["project"], made["scopes"]) == ("default", ["ingest", "read", "annotate", "admin"])


def test_a_fault_of_ours_is_no_answer(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("thumbwheel.services.access.Access.list_keys", fail)
    ran = command("key", "list")
    assert (ran.code, "RuntimeError: a fault" in ran.err) == (3, True)
