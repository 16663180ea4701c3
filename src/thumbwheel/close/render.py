"""The gate's report for machines and for pull requests. Answers are hostile text here: anything may be in them."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from thumbwheel.close.check import Outcome
from thumbwheel.close.gate import GateReport, GateRow, Standing, answer_text
from thumbwheel.domain.trace import text_of

#: Longest text of one part in a report, in characters.
MAX_PART = 2_000
#: Rows a markdown summary names; comments on pull requests have a limit of their own.
MAX_NAMED = 50

#: Everything that is not a character of XML 1.0 (section 2.2): most control characters, lone surrogates, two more.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BACKTICKS = re.compile("`+")


def junit(report: GateReport) -> str:
    """JUnit XML, as build servers read it: one test case a row, class name `golden.open` or `golden.guarding`.

    A blocking row is a failure, or an error when it could not be decided; a row
    that does not pass and does not block is skipped, with the reason: an open
    failure stays in sight. Characters XML 1.0 cannot hold become U+FFFD.
    """
    suite = ET.Element("testsuite", _totals(report))
    for row in report.rows:
        suite.append(_case(row))
    suites = ET.Element("testsuites", _totals(report))
    suites.append(suite)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def markdown(report: GateReport) -> str:
    """A summary for a pull request: the sentence, a table of counts, and the rows that do not pass.

    Texts from traces stand in code spans, where they cannot open a link, load
    an image or mention a person; their | is shown as ¦, which no table splits at.
    """
    counts = [f"| {standing} | {n} |" for standing, n in report.count().items() if n]
    lines = ["## Golden rows", "", report.sentence(), ""]
    if counts:
        lines += ["| rows | n |", "|---|---:|", *counts, ""]
    wrong = [row for row in report.rows if row.result.outcome is not Outcome.passed]
    if wrong:
        lines += ["| row | stands | blocks | asked | why |", "|---|---|---|---|---|"]
        lines += [_line(row) for row in wrong[:MAX_NAMED]]
    if len(wrong) > MAX_NAMED:
        lines += ["", f"… and {len(wrong) - MAX_NAMED} more."]
    return "\n".join(lines).rstrip() + "\n"


def _totals(report: GateReport) -> dict[str, str]:
    undecided = sum(row.blocks and row.result.outcome is Outcome.undecided for row in report.rows)
    failed = sum(row.blocks for row in report.rows) - undecided
    skipped = sum(row.result.outcome is not Outcome.passed and not row.blocks for row in report.rows)
    seconds = sum(row.answer.seconds for row in report.rows)
    return {
        "name": "thumbwheel gate",
        "tests": str(len(report.rows)),
        "failures": str(failed),
        "errors": str(undecided),
        "skipped": str(skipped),
        "time": f"{seconds:.3f}",
    }


def _case(row: GateRow) -> ET.Element:
    name = _xml(f"{row.row.id} {_line_of(text_of(row.row.input), 80)}".strip())
    case = ET.Element("testcase", classname=f"golden.{row.row.status}", name=name, time=f"{row.answer.seconds:.3f}")
    origin = row.row.provenance
    known = {"trace": origin.trace_id, "label": origin.label_id, "categories": ", ".join(row.row.categories)}
    properties = ET.SubElement(case, "properties")
    for key, value in known.items():
        ET.SubElement(properties, "property", name=key, value=_xml(value))
    if row.result.outcome is not Outcome.passed:
        _complain(case, row)
    return case


def _complain(case: ET.Element, row: GateRow) -> None:
    message = _xml(_line_of(f"{row.standing}: {row.result.detail}", MAX_PART))
    if not row.blocks:
        ET.SubElement(case, "skipped", message=message)
        return
    tag = "error" if row.standing is Standing.undecided else "failure"
    fault = ET.SubElement(case, tag, message=message, type=str(row.row.check.kind))
    parts = {
        "asked": text_of(row.row.input),
        "answered": answer_text(row),
        "expected": row.row.expected,
        "what was wrong before": row.row.critique,
    }
    fault.text = _xml("\n".join(f"{name}: {_cut(text, MAX_PART)}" for name, text in parts.items() if text))


def _line(row: GateRow) -> str:
    cells = (_code(row.row.id, 80), row.standing, "yes" if row.blocks else "no")
    return f"| {' | '.join(cells)} | {_code(text_of(row.row.input), 80)} | {_code(row.result.detail, 160)} |"


def _code(text: str, limit: int) -> str:
    """A text as a code span of one line, fenced by more backticks than it holds; nothing when it is blank."""
    line = _line_of(_xml(text), limit).replace("|", "¦")
    if not line:
        return ""
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def _line_of(text: str, limit: int) -> str:
    return _cut(" ".join(text[: 4 * limit].split()), limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
