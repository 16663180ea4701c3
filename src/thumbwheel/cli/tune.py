"""Commands that learn from labels: sample tune, sample replay, priors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json

if TYPE_CHECKING:
    from thumbwheel.services.tune import PriorChange, Proposal

ByOption = Annotated[str, typer.Option(help="Who puts it in force, for the record.")]


def register(app: typer.Typer) -> None:
    """Add `priors`."""
    group = typer.Typer()
    group.callback(invoke_without_command=True)(priors)
    group.command("fit")(fit)
    app.add_typer(group, name="priors")


def tune(
    apply: Annotated[bool, typer.Option("--apply", help="Put the proposed mix in force for draws to come.")] = False,
    by: ByOption = "command line",
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Propose a mix from what each policy's entries turned into; nothing changes without --apply.

    Example: `thumbwheel sample tune --apply --by maria`
    """
    with open_wheel() as wheel:
        number = wheel.known_project(project)
        found = wheel.tune.apply(number, by) if apply else wheel.tune.propose(number)
    if as_json:
        print_json(found.as_dict() | {"applied": apply, "by": by if apply else None})
        return
    _show_proposal(found)
    typer.echo(f"in force from the next draw, by {by}" if apply else "nothing changed; --apply puts it in force")


def _show_proposal(found: Proposal) -> None:
    typer.echo("policy      labels  failed  silent  conversion (95 %)        share  proposed")
    for row in found.policies:
        interval = f"{row.conversion:5.1%} ({row.low:.1%} to {row.high:.1%})"
        held = f"  its {row.bound}" if row.bound else ""
        typer.echo(
            f"{row.policy.value:10}  {row.n_labels:6}  {row.n_failures:6}  {row.n_silent:6}  {interval:23}  "
            f"{row.share:5.1%}  {row.proposed:8.1%}{held}"
        )
    typer.echo(
        f"failures expected per 80: {found.per_80:.1f} now, {found.per_80_proposed:.1f} proposed: "
        f"{found.gain:+.1f} (95 %: {found.gain_low:+.1f} to {found.gain_high:+.1f})"
    )
    if found.silent_share is None or found.silent_per_80 is None or found.silent_per_80_proposed is None:
        typer.echo("no failures are labelled yet, so nothing speaks for another mix")
        return
    modes = "mode" if found.modes_found == 1 else "modes"
    typer.echo(
        f"{found.modes_found} {modes} found (3 labelled failures or more) of {len(found.modes)} seen; "
        f"{found.silent_share:.0%} of the failures are silent: no user said a word against them"
    )
    typer.echo(
        f"silent failures expected per 80: {found.silent_per_80:.1f} now, {found.silent_per_80_proposed:.1f} proposed"
    )


def replay(
    mix: Annotated[
        str, typer.Option(help="Shares, as random=25,stratified=25,…; the proposed mix when left out.")
    ] = "",
    last: Annotated[int, typer.Option(min=1, max=50, help="How many past draws.")] = 5,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Make past draws again under another mix, and say what it would have found.

    Example: `thumbwheel sample replay --mix random=40,negative=40,uncertain=20 --last 3`
    """
    with open_wheel() as wheel:
        found = wheel.tune.replay(wheel.known_project(project), read_mix(mix), last)
    if as_json:
        print_json({"items": found})
        return
    for each in found:
        then = ", ".join(f"{name} {n}" for name, n in each.picked.items())
        now = ", ".join(f"{name} {n}" for name, n in each.replayed.items())
        said = "no labels yet"
        if each.expected is not None and each.error is not None and each.failures is not None:
            more = each.expected - each.failures
            said = f"failures {each.failures:.0f} -> {each.expected:.1f} ({more:+.1f}, standard error {each.error:.1f})"
        typer.echo(f"{each.at:%F %R}  {then}\n            ->  {now}")
        typer.echo(f"            {said}; {each.n_known} of the new picks have a label, {each.n_caught} of them failed")
    if not found:
        typer.echo("There is no draw to replay.")


def priors(
    context: typer.Context,
    version: Annotated[
        int | None, typer.Option(min=1, help="An earlier version; the one in force when left out.")
    ] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Show the priors in force, or an earlier version of them.

    Example: `thumbwheel priors --version 1 --json`
    """
    from thumbwheel.errors import Invalid

    if context.invoked_subcommand is not None:
        return
    with open_wheel() as wheel:
        versions = wheel.tune.priors(wheel.known_project(project))
    table = next((each for each in versions if each.version == (version or versions[-1].version)), None)
    if table is None:
        raise Invalid(f"There is no version {version}; there are 1 to {versions[-1].version}.", field="version")
    if as_json:
        print_json({"version": table.version, "note": table.note, "priors": table.priors, "versions": len(versions)})
        return
    typer.echo(f"version {table.version} of {table.made_on}: {table.note}")
    for prior in table.priors:
        typer.echo(f"  {prior.kind.value:24} {prior.value or '':18} {prior.weight:+.2f}  {prior.basis}")


def fit(
    apply: Annotated[bool, typer.Option("--apply", help="Put them in force; the versions before are kept.")] = False,
    by: ByOption = "command line",
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Re-estimate the priors from labels, corrected for how the labels were chosen.

    Example: `thumbwheel priors fit --apply --by maria`
    """
    with open_wheel() as wheel:
        number = wheel.known_project(project)
        table, changes = wheel.tune.apply_priors(number, by) if apply else wheel.tune.fit_priors(number)
    if as_json:
        print_json({"version": table.version, "applied": apply, "changes": [_change(each) for each in changes]})
        return
    for each in changes:
        if each.n:
            name = f"{each.prior.kind.value} {each.prior.value or ''}".strip()
            limits = f"{each.low:+.2f} to {each.high:+.2f}"
            typer.echo(f"  {name:36} {each.prior.weight:+.2f} -> {each.after:+.2f} ({limits}, n {each.n})  {each.says}")
    if not any(each.n for each in changes):
        typer.echo("No labelled trace has a signal yet.")
    typer.echo(
        f"version {table.version} is in force, by {by}" if apply else "nothing changed; --apply puts it in force"
    )


def _change(each: PriorChange) -> dict[str, object]:
    return {
        "kind": each.prior.kind.value,
        "value": each.prior.value,
        "before": each.prior.weight,
        "after": each.after,
        "interval": [each.low, each.high] if each.n else None,
        "sd": each.sd,
        "n": each.n,
        "says": each.says,
    }


def read_mix(text: str) -> dict[str, float] | None:
    """Shares by policy as people write them; None for nothing.

    Raises Invalid for what is not POLICY=SHARE.
    """
    from thumbwheel.errors import Invalid

    if not text:
        return None
    mix: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            mix[name.strip()] = float(share)
        except ValueError as fault:
            raise Invalid(f"{part!r} is not POLICY=SHARE.", field="mix") from fault
    return mix
