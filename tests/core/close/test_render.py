"""The gate's report survives whatever is in the texts it quotes."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import example, given
from markdown_it import MarkdownIt

from tests.factories import RIGHT, WRONG, a_check, a_golden_row, a_provenance
from tests.strategies import hostile_text
from thumbwheel.close.gate import Answer, GateReport, gate
from thumbwheel.close.render import MAX_NAMED, junit, markdown
from thumbwheel.domain.artifact import CheckKind, GoldenStatus


def a_report(*, allow_open: bool = True) -> GateReport:
    """One row of each kind: held, broken, still open, undecided."""
    rows = [
        a_golden_row(id="held", status=GoldenStatus.guarding),
        a_golden_row(id="broken", status=GoldenStatus.guarding),
        a_golden_row(id="open"),
        a_golden_row(id="stuck", status=GoldenStatus.guarding, check=a_check(kind=CheckKind.judge)),
    ]
    answers = {
        "held": Answer(output=RIGHT, seconds=0.25),
        "broken": Answer(output=WRONG, seconds=0.5),
        "open": Answer(output=WRONG),
        "stuck": Answer(output=RIGHT),
    }
    return gate(rows, answers, allow_open=allow_open)


def hostile_report(text: str) -> GateReport:
    """A broken row in which everything that can be somebody else's is this text."""
    row = a_golden_row(
        id=text,
        input=text,
        failed_output=text,
        expected=text,
        critique=text,
        categories=(text,),
        check=a_check(kind=CheckKind.equals, value=text, negate=True),
        provenance=a_provenance(trace_id=text, label_id=text),
    )
    crashed = a_golden_row(id="crashed", input={"q": text})
    return gate([row, crashed], {text: Answer(output=text), "crashed": Answer(error=text)})


def test_junit_counts_and_names_what_blocks_and_keeps_open_rows_in_sight() -> None:
    suites = ET.fromstring(junit(a_report()))
    [suite] = suites
    for counted in (suites, suite):
        assert {name: counted.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
            "tests": "4",
            "failures": "1",
            "errors": "1",
            "skipped": "1",
            "time": "0.750",
        }
    outcomes = {(case.get("name") or "").split()[0]: [child.tag for child in case][1:] for case in suite}
    assert outcomes == {"held": [], "broken": ["failure"], "open": ["skipped"], "stuck": ["error"]}
    assert {case.get("classname") for case in suite} == {"golden.open", "golden.guarding"}


def test_a_junit_failure_holds_what_its_reader_needs() -> None:
    failure = ET.fromstring(junit(a_report())).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "broken: the answer does not contain “30 days”"
    assert (failure.text or "").splitlines() == [
        "asked: How long do I have to return a kettle?",
        f"answered: {WRONG}",
        f"expected: {RIGHT}",
        "what was wrong before: The policy says 30.",
    ]


@given(hostile_text())
def test_junit_is_xml_whatever_the_answers_hold(text: str) -> None:
    written = junit(hostile_report(text)).encode()
    suite = ET.fromstring(written)[0]
    assert len(suite) == 2
    assert suite.find(".//failure") is not None
    if text.strip() and text.isprintable():
        assert any(found.get("value") == text for found in suite.iter("property"))


def test_markdown_is_a_summary_with_a_table_of_what_does_not_pass() -> None:
    lines = markdown(a_report(allow_open=False)).splitlines()
    assert lines[:3] == ["## Golden rows", "", a_report(allow_open=False).sentence()]
    assert [line.split(" | ")[:3] for line in lines[-3:]] == [
        ["| `broken`", "broken", "yes"],
        ["| `stuck`", "undecided", "yes"],
        ["| `open`", "still open", "yes"],
    ]
    assert lines[-3].endswith("| `How long do I have to return a kettle?` | `the answer does not contain “30 days”` |")


def test_a_long_list_is_cut_and_says_so() -> None:
    rows = [a_golden_row(id=f"g{number}") for number in range(MAX_NAMED + 7)]
    assert markdown(gate(rows, {})).endswith("… and 7 more.\n")


def test_without_rows_the_reports_say_so() -> None:
    empty = gate([], {})
    assert markdown(empty) == "## Golden rows\n\nNo golden rows, so nothing was checked.\n"
    assert ET.fromstring(junit(empty)).get("tests") == "0"


@given(hostile_text())
@example("``` @ann ![x](http://x.test/i.png) <img src=//x.test> | a\\|b ``")
def test_no_text_breaks_out_of_its_cell(text: str) -> None:
    page = MarkdownIt("commonmark").enable("table").render(markdown(hostile_report(text)))
    named = page.rpartition("<tbody>")[2]
    assert (named.count("<tr>"), named.count("<td>")) == (2, 10)
    assert set(re.findall(r"<(\w+)", page)) <= {"h2", "p", "table", "thead", "tbody", "tr", "th", "td", "code"}
    outside = re.sub(r"<code>.*?</code>", "", page)
    assert not re.search(r"@|http|x\.test|[\x00\x1b]", outside)
