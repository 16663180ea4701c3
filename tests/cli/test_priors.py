"""Priors from the command line: shown, re-estimated from labels, put in force by somebody, the old ones kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.cli.conftest import Ran
from tests.factories import a_signal
from tests.road import lay
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.signal import SignalKind

Command = Callable[..., Ran]


def label(store: Wheel) -> None:
    """Thirty regenerated answers, as often good as bad; forty others, half of them bad."""
    started_at = datetime.now(UTC) - timedelta(days=2)
    project = store.project("default")
    with store.ledger.begin(project) as tx:
        for number in range(1, 71):
            again = [a_signal(id="s", trace_id=f"trace-{number}", kind=SignalKind.implicit_regenerate)] * (number <= 30)
            lay(tx, number, verdict=(Verdict.failed, Verdict.passed)[number % 2], started_at=started_at, signals=again)


def test_priors_are_fitted_shown_with_limits_and_put_in_force(command: Command, store: Wheel) -> None:
    assert command("priors", "fit").out.startswith("No labelled trace has a signal yet.")
    assert command("priors", "fit", "--apply").code == 3
    label(store)
    proposed = command("priors", "fit", "--json").json
    again = next(each for each in proposed["changes"] if each["kind"] == "implicit_regenerate")
    assert (again["n"], again["before"]) == (30, 0.7)
    assert again["interval"][0] < 0 < again["interval"][1]
    assert again["says"] == "does not correlate with failure, as far as these labels can tell"
    assert again["sd"] > 0
    silent = next(each for each in proposed["changes"] if each["kind"] == "implicit_copy")
    assert (silent["n"], silent["interval"], silent["after"]) == (0, None, silent["before"])
    assert command("priors", "--json").json["version"] == 1
    assert "does not correlate" in command("priors", "fit").out
    assert "version 2 is in force, by maria" in command("priors", "fit", "--apply", "--by", "maria").out
    shown = command("priors", "--json").json
    assert (shown["version"], shown["versions"]) == (2, 2)
    assert command("priors", "--version", "1", "--json").json["priors"] != shown["priors"]
    missing = command("priors", "--version", "3")
    assert (missing.code, "there are 1 to 2" in missing.err) == (2, True)
