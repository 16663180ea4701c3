"""Commands of closing: close, export, golden, fix; and the gate."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from thumbwheel.cli import export, gate
from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json
from thumbwheel.web.words import counted, one_line

if TYPE_CHECKING:
    from thumbwheel.domain.artifact import Fix, GoldenRow

#: Rows a list prints.
LimitOption = typer.Option(50, "--limit", min=1, help="Most rows to print.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("close")(close)
    export.register(app)
    gate.register(app)
    golden = typer.Typer(help="Golden rows: failures as tests of the application.", no_args_is_help=True)
    golden.command("list")(golden_list)
    golden.command("check")(golden_check)
    app.add_typer(golden, name="golden")
    fix = typer.Typer(help="What was changed because of which labels.", no_args_is_help=True)
    fix.command("add")(fix_add)
    fix.command("ship")(fix_ship)
    fix.command("list")(fix_list)
    app.add_typer(fix, name="fix")


def close(project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Route settled labels: failures become golden rows and, with a corrected answer, preference pairs.

    The schedule does it too; running it twice changes nothing.

    Example: `thumbwheel close`
    """
    with open_wheel() as wheel:
        done = wheel.close.route(wheel.known_project(project))
    if as_json:
        print_json(done)
        return
    typer.echo(
        f"{counted(done.labels, 'label')} routed: {counted(done.golden, 'golden row')}, {counted(done.preferences, 'pair')}"
    )
    if done.withheld:
        typer.echo(f"{counted(done.withheld, 'corrected answer')} kept out for lack of rights")
    if done.retired:
        typer.echo(f"{counted(done.retired, 'artifact')} retired: the label was replaced or taken back")


def golden_list(limit: int = LimitOption, project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """List golden rows, oldest first, with their checks.

    Example: `thumbwheel golden list --limit 20`
    """
    with open_wheel() as wheel:
        page = wheel.close.list_golden(wheel.known_project(project), limit)
    if as_json:
        print_json(page)
        return
    from thumbwheel.domain.trace import text_of

    if not page.items:
        typer.echo("No golden rows yet; settled failures become them.")
    for row in page.items:
        typer.echo(f"{row.id}  {row.status.value:8}  {one_line(text_of(row.input), 34)}")
        typer.echo(f"    {_check_words(row)}")
    _more(page.next is not None)


def golden_check(
    row_id: Annotated[str, typer.Argument(metavar="ROW", help="Id of the golden row.")],
    contains: Annotated[str | None, typer.Option(help="A text every right answer contains.")] = None,
    regex: Annotated[str | None, typer.Option(help="A pattern every right answer matches.")] = None,
    equals: Annotated[str | None, typer.Option(help="The one right answer.")] = None,
    function: Annotated[
        str | None,
        typer.Option("--callable", help="module:function, called with the input and the answer; True passes."),
    ] = None,
    judge: Annotated[str | None, typer.Option(help="What right looks like, for the judge to compare with.")] = None,
    negate: Annotated[bool, typer.Option("--not", help="Turn the check round: a right answer does not.")] = False,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Choose how answers to a golden row are judged.

    Example: `thumbwheel golden check 019a… --contains "30 days"`
    """
    from thumbwheel.domain.artifact import Check, CheckKind
    from thumbwheel.errors import Invalid

    given = {"contains": contains, "regex": regex, "equals": equals, "callable": function, "judge": judge}
    chosen = {kind: value for kind, value in given.items() if value is not None}
    if len(chosen) != 1:
        raise Invalid("Choose one of --contains, --regex, --equals, --callable and --judge.", field="check")
    ((kind, value),) = chosen.items()
    with open_wheel() as wheel:
        check = Check(kind=CheckKind(kind), value=value, negate=negate)
        row = wheel.close.choose_check(wheel.known_project(project), row_id, check)
    if as_json:
        print_json(row)
    else:
        typer.echo(f"{row.id}: {_check_words(row)}")


def fix_add(
    kind: Annotated[str, typer.Option(help="prompt, retrieval, code, model or data.")],
    reference: Annotated[str, typer.Option("--ref", help="A commit, a pull request, a ticket.")],
    description: Annotated[str, typer.Option(help="What was changed, in a sentence.")] = "",
    label: Annotated[list[str] | None, typer.Option(help="Id of a label it answers; repeat for more.")] = None,
    category: Annotated[
        list[str] | None, typer.Option(help="Credits every failure of this category that no fix answers yet.")
    ] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="It has reached users already.")] = False,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Credit a change in the application with the labels it answers.

    Example: `thumbwheel fix add --kind prompt --ref 4f2c1aa --category wrong-fact`
    """
    from thumbwheel.domain.artifact import FixKind
    from thumbwheel.errors import Invalid

    if kind not in set(FixKind):
        raise Invalid(f"A fix is one of {', '.join(FixKind)}; not {kind!r}.", field="kind")
    with open_wheel() as wheel:
        project_id = wheel.known_project(project)
        fix = wheel.close.add_fix(
            project_id,
            FixKind(kind),
            reference,
            description=description,
            labels=label or (),
            categories=category or (),
        )
        if shipped:
            fix = wheel.close.ship_fix(project_id, fix.id)
    _show_fix(fix, as_json)


def fix_ship(
    fix_id: Annotated[str, typer.Argument(metavar="FIX", help="Id of the fix.")],
    at: Annotated[str | None, typer.Option(help="When, as 2026-11-23T09:00:00Z; now when not said.")] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Say that a fix reached users: from then on the golden rows of its labels guard.

    Example: `thumbwheel fix ship 019a…`
    """
    with open_wheel() as wheel:
        fix = wheel.close.ship_fix(wheel.known_project(project), fix_id, None if at is None else _moment(at))
    _show_fix(fix, as_json)


def fix_list(limit: int = LimitOption, project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """List fixes, last added first.

    Example: `thumbwheel fix list`
    """
    with open_wheel() as wheel:
        page = wheel.close.list_fixes(wheel.known_project(project), limit)
    if as_json:
        print_json(page)
        return
    if not page.items:
        typer.echo("No fixes yet; thumbwheel fix add notes one.")
    for fix in page.items:
        shipped = f"shipped {fix.shipped_at:%F}" if fix.shipped_at else "not shipped yet"
        reference = one_line(fix.reference, 60)
        typer.echo(f"{fix.id}  {fix.kind.value} {reference}")
        typer.echo(f"    {shipped}, answers {counted(len(fix.label_ids), 'label')}: {', '.join(fix.categories)}")
        if fix.description:
            typer.echo(f"    {one_line(fix.description, 200)}")
    _more(page.next is not None)


def _show_fix(fix: Fix, as_json: bool) -> None:
    if as_json:
        print_json(fix)
        return
    shipped = f"shipped {fix.shipped_at:%F %R} UTC" if fix.shipped_at else "not shipped yet"
    typer.echo(
        f"fix {fix.id}: {fix.kind} {one_line(fix.reference, 60)} answers {counted(len(fix.label_ids), 'label')}, {shipped}"
    )


def _moment(text: str) -> datetime:
    from thumbwheel.errors import Invalid

    try:
        at = datetime.fromisoformat(text)
    except ValueError as fault:
        raise Invalid(f"{text!r} is no time; write 2026-11-23T09:00:00Z.", field="at") from fault
    if at.tzinfo is None:
        raise Invalid(f"{text!r} has no time zone; write 2026-11-23T09:00:00Z.", field="at")
    return at


def _check_words(row: GoldenRow) -> str:
    negate = "not " if row.check.negate else ""
    value = (
        " as expected" if row.check.kind == "judge" and not row.check.value else f" {one_line(row.check.value, 40)!r}"
    )
    return f"{negate}{row.check.kind.value}{value}"


def _more(more: bool) -> None:
    if more:
        typer.echo("… and more: raise --limit, or use `thumbwheel export`", err=True)
