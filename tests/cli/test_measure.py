"""The report in the terminal, as JSON and as a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.factories import a_codebook_version, a_signal, a_trace, an_entry
from tests.road import lay
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.queue import Policy
from thumbwheel.domain.signal import SignalKind

Command = Callable[..., Ran]


@pytest.fixture
def filled(store: Wheel) -> Wheel:
    """Twelve judged entries of two days ago, and one that waits."""
    started_at = datetime.now(UTC) - timedelta(days=2)
    with store.ledger.begin(store.project("default")) as tx:
        tx.codebooks.add(a_codebook_version())
        for number in range(1, 14):
            policy = Policy.negative if number <= 6 else Policy.random
            lay(
                tx,
                number,
                verdict=None if number == 13 else Verdict.failed if number <= 5 else Verdict.passed,
                policy=policy,
                started_at=started_at,
                signals=[a_signal(trace_id=f"trace-{number}")],
            )
    store.close.route(store.project("default"))
    return store


def test_the_terminal_report_is_readable_at_80_columns(command: Command, filled: Wheel) -> None:
    ran = command("report")
    assert ran.code == 0
    assert max(len(line.rstrip()) for line in ran.out.splitlines()) <= 80
    for heading in ("From traces to fixes", "What each policy caught", "How long it takes", "Not the failure rate"):
        assert heading in ran.out
    negative = next(line for line in ran.out.splitlines() if line.startswith("negative"))
    assert re.search(r"\b6\b.*\b6\b.*\b5\b.*83 % \(44–97 %\)", negative)
    assert "not enough labels: 0 of 5" in " ".join(ran.out.split())


def test_an_empty_store_has_a_report(command: Command) -> None:
    ran = command("report")
    assert ran.code == 0
    assert "not enough labels: 0 of 5" in ran.out
    assert "nan" not in ran.out.lower()


def test_json_is_one_document(command: Command, filled: Wheel) -> None:
    ran = command("report", "--json", "--window", "30d")
    assert ran.code == 0
    assert [step["n"] for step in ran.json["funnel"]][:5] == [13, 13, 13, 12, 12]
    assert ran.json["waiting"]["age"]["n"] == 1


@pytest.mark.parametrize("window", ["x", "0", "7", "-7d", "999999w"])
def test_a_window_that_is_none_is_wrong_use(command: Command, window: str) -> None:
    ran = command("report", f"--window={window}")
    assert ran.code == 2
    assert ran.err.count("\n") == 1


class _Links(HTMLParser):
    """Everything a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "line", "rect", "circle", "br"}:
            self.open.append(tag)
        self.found += [
            f"{tag} {name}" for name, _ in attrs if name in {"src", "href", "style"} or name.startswith("on")
        ]
        self.found += [tag] if tag in {"script", "link", "img", "iframe"} else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_report_needs_no_other_file_and_no_script(command: Command, filled: Wheel, folder: Path) -> None:
    ran = command("report", "--html", "report.html")
    assert (ran.code, ran.out, ran.err) == (0, "", "wrote report.html\n")
    text = (folder / "report.html").read_text()
    assert "<h1>thumbwheel report</h1>" in text, "a project that nobody named has no name to show"
    parser = _Links()
    parser.feed(text)
    assert (parser.found, parser.open) == ([], [])
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    assert "83 % (44–97 %)" in text


def test_hostile_names_are_shown_and_not_obeyed(command: Command, store: Wheel, folder: Path) -> None:
    evil = "<script>alert(1)</script>\x1b[2J"
    with store.ledger.begin(store.project("default")) as tx:
        lay(
            tx,
            1,
            trace=a_trace(id="trace-1", started_at=datetime.now(UTC), category=evil),
            entry=an_entry(category=evil),
            signals=[a_signal(kind=SignalKind.implicit_copy)],
            verdict=None,
        )
        tx.queue.drop(["entry-1"], evil, datetime.now(UTC))
    command("report", "--html", "report.html", "--project", "default")
    assert "<script>" not in (folder / "report.html").read_text()
    shown = command("report").out
    assert "<script>" in shown
    assert "\x1b" not in shown


def test_a_report_that_cannot_be_written_says_so(command: Command) -> None:
    ran = command("report", "--html", "no-such/report.html")
    assert (ran.code, ran.err) == (3, "thumbwheel: Cannot write no-such/report.html: No such file or directory.\n")
