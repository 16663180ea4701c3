"""The report in the terminal, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from thumbwheel.services.measure import Figure, Report
from thumbwheel.web.report import SHOWN, STATES, STEPS, estimate, span
from thumbwheel.web.words import counted, date, duration, moment, one_line, percent

#: Columns of a bar and of an interval.
_BAR, _AXIS = 20, 24


def show(report: Report, project: str) -> None:
    """Print the report."""
    console = Console(highlight=False)
    last = report.window.end - (report.window.end - report.window.start) / 1_000_000
    console.print(Text.assemble((project, "bold"), f"  traces from {date(report.window.start)} to {date(last)} (UTC)"))
    overall = report.failures.overall
    console.print(
        Text.assemble("failure rate  ", _said(report.failure_rate), _basis(overall.n_labels, overall.n_population))
    )
    console.print(Text.assemble("uniform only  ", _said(report.core), "  the check on it"))
    if report.closing.alarm:
        console.print(Text(report.closing.alarm, "bold red"))
    if len(report.failure_rates) > 1:
        _section(console, "Failure rate by category", _rates(report))
    _section(console, "From traces to fixes", _funnel(report))
    _section(console, "What each policy caught", _policies(report))
    console.print(Text("┊ marks the uniform sample: the honest base rate", "dim"))
    _section(console, "How long it takes", _times(report))
    _section(console, "The queue", _facts(_queue(report)))
    _section(console, "How alike people judge (Cohen's kappa)", _kappas(report))
    _section(console, "What users said and did", _signals(report))
    _section(console, "What labels became", _facts(_closing(report)))
    _section(console, "Not the failure rate", _naive(report))
    console.print(Text(f"\n{moment(report.at)}. Ranges are 95 % intervals.", "dim"))


def _basis(n_labels: int, n_population: int) -> str:
    return f"  of {counted(n_population, 'trace')}, from {counted(n_labels, 'label')}" if n_labels else ""


def _section(console: Console, title: str, table: Table) -> None:
    console.print(Text(f"\n{title}", "bold"))
    console.print(table)


def _grid(*columns: str, headings: Iterable[str] = ()) -> Table:
    """A table without lines; a column is `l`eft or `r`ight, and a capital never wraps."""
    names = list(headings)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_header=bool(names))
    for place, column in enumerate(columns):
        justify = "right" if column.lower() == "r" else "left"
        heading = names[place] if names else ""
        table.add_column(heading, justify=justify, no_wrap=column.isupper())  # type: ignore[arg-type]
    return table


def _funnel(report: Report) -> Table:
    table = _grid("L", "R", "L", "l")
    for step in report.funnel:
        if step.share is None or step.part_of is None:
            table.add_row(STEPS[step.name], f"{step.n:,}", "", "")
        elif step.share.estimate is None:
            table.add_row(STEPS[step.name], f"{step.n:,}", "", Text(step.share.why or "", "dim"))
        else:
            share = f"{percent(step.share.estimate)} of {STEPS[step.part_of]}"
            table.add_row(STEPS[step.name], f"{step.n:,}", _bar(step.share.estimate), share)
    return table


def _rates(report: Report) -> Table:
    table = _grid("l", "L", "l", "r", headings=("category", "", "failure rate", "labels"))
    for name, rate in list(report.failure_rates.items())[:SHOWN]:
        table.add_row(
            one_line(name or "none", 24), _axis(rate, report.failure_rate.estimate), _said(rate), f"{rate.n:,}"
        )
    more = len(report.failure_rates) - SHOWN
    if more > 0:
        table.add_row(Text(f"and {more} more: thumbwheel estimate --by-category", "dim"))
    return table


def _policies(report: Report) -> Table:
    table = _grid("L", "R", "R", "R", "L", "l", headings=("policy", "drawn", "labelled", "failed", "", "share failed"))
    base = report.core.estimate
    for row in report.policies:
        counts = (f"{row.n_entries:,}", f"{row.n_labelled:,}", f"{row.n_failures:,}")
        table.add_row(row.policy.value, *counts, _axis(row.conversion, base), _said(row.conversion))
    table.add_row("uniform", "", f"{report.core.n:,}", "", _axis(report.core, base), _said(report.core))
    return table


def _times(report: Report) -> Table:
    table = _grid("L", "R", "l", "l", headings=("", "done", "half are done after", "done within 30 days"))
    stretches = {
        "trace to label": report.times.trace_to_label,
        "label to fix": report.times.label_to_fix,
        "trace to fix": report.times.trace_to_fix,
    }
    for name, times in stretches.items():
        done = f"{times.n_done:,} of {times.n:,}"
        table.add_row(name, done, _said(times.median, "duration"), _said(times.within_30_days))
    return table


def _queue(report: Report) -> Iterable[tuple[str, str | Text]]:
    age = report.waiting.age
    if age.n and age.oldest is not None and age.median is not None and age.p90 is not None:
        yield "waiting", f"{age.n:,}, the oldest for {duration(age.oldest)}, half for over {duration(age.median)}"
    else:
        yield "waiting", "nothing"
    yield "labels an hour", _said(report.labels_per_hour, "number")
    yield "people judging", str(report.n_annotators)
    yield "disputes open", str(report.waiting.n_disputes)
    if report.waiting.n_stalled:
        yield "nobody left", f"{counted(report.waiting.n_stalled, 'entry', 'entries')} for a second reviewer"
    if report.waiting.n_quarantined:
        yield "labels set aside", f"{report.waiting.n_quarantined:,}: the codebook changed what they say"
    for why, n in report.waiting.dropped.items():
        yield "dropped", f"{n:,}: {one_line(why, 60)}"
    if report.waiting.limits:
        told = [
            f"{row.policy.value} {one_line(row.category or 'no category', 20)} {row.n}"
            for row in report.waiting.limits[:4]
        ]
        more = len(report.waiting.limits) - len(told)
        yield "known gaps", ", ".join(told) + (f" and {more} more" if more > 0 else "")


def _kappas(report: Report) -> Table:
    table = _grid("l", "L", "l", "r")
    for row in report.kappas:
        name = "pass or fail" if row.category is None else one_line(row.category, 24)
        known = row.kappa.estimate is not None
        table.add_row(
            name,
            _axis(row.kappa, 0.6) if known else Text(""),
            _said(row.kappa, "number"),
            STATES[row.state.value] if known else "",
        )
    return table


def _signals(report: Report) -> Table:
    table = _grid("L", "R", "L", "l")
    most = max(report.signals.by_kind.values(), default=1)
    for kind, n in report.signals.by_kind.items():
        table.add_row(kind.value.replace("_", " "), f"{n:,}", _bar(n / most), "")
    if not report.signals.by_kind:
        table.add_row(Text("none about these traces yet", "dim"))
    if report.signals.n_pending:
        table.add_row("waiting for their trace", f"{report.signals.n_pending:,}", "", "")
    return table


def _closing(report: Report) -> Iterable[tuple[str, str | Text]]:
    closing = report.closing
    yield "golden rows", f"{closing.n_open:,} open, {closing.n_guarding:,} guarding"
    yield "preference pairs", f"{closing.n_pairs:,}"
    if closing.n_withheld_golden or closing.n_withheld_pairs:
        golden, pairs = counted(closing.n_withheld_golden, "expected answer"), counted(closing.n_withheld_pairs, "pair")
        yield "no right to use", f"{golden}, {pairs}"
    shipped = f", the last on {date(closing.last_shipped_at)}" if closing.last_shipped_at else ""
    yield "fixes", f"{closing.n_shipped:,} of {closing.n_fixes:,} shipped{shipped}"
    yield "failures without a fix", f"{closing.n_unanswered:,}"


def _naive(report: Report) -> Table:
    table = _grid("l", "R", "l")
    for row in report.naive:
        share = "–" if row.share is None else percent(row.share)
        table.add_row(row.name, share, Text(row.why_not, "dim"))
    return table


def _facts(rows: Iterable[tuple[str, str | Text]]) -> Table:
    table = _grid("L", "l")
    for name, value in rows:
        table.add_row(name, value)
    return table


def _said(figure: Figure, form: str = "percent") -> Text:
    """A figure in words; why there is none, in grey."""
    return Text(estimate(figure, form), "" if figure.estimate is not None else "dim")


def _bar(share: float) -> Text:
    eighths = round(_BAR * 8 * min(max(share, 0.0), 1.0))
    whole, rest = divmod(eighths, 8)
    filled = "█" * whole + " ▏▎▍▌▋▊▉"[rest].strip()
    return Text.assemble((filled, "cyan"), ("·" * (_BAR - len(filled)), "dim"))


def _axis(figure: Figure, mark: float | None) -> Text:
    """An interval on the axis from 0 to 1: a dot between its limits, and a line at `mark`."""
    cells = ["·"] * _AXIS
    styles = ["dim"] * _AXIS
    place = span(figure, _AXIS - 1)
    if place is not None:
        for cell in range(round(place["from"]), round(place["to"]) + 1):
            cells[cell], styles[cell] = "━", "cyan"
    if mark is not None:
        at = round(mark * (_AXIS - 1))
        cells[at], styles[at] = "┊", "yellow"
    if place is not None:
        cells[round(place["at"])], styles[round(place["at"])] = "●", "bold cyan"
    return Text.assemble(*zip(cells, styles, strict=True))
