"""What docs/sampling.md says of a run: the passages between its marks are written from the figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from benchmarks.simulation.product import CATEGORIES, DRIFT_DAY, MODES
from benchmarks.simulation.queues import BUDGET, WEEK
from thumbwheel.sample.tune import FOUND

#: Days of which the page says how many silent modes were found.
_EARLY = 14


def filled(page: str, told: Mapping[str, Any]) -> str:
    """The page with every passage written anew.

    Raises KeyError for a mark nobody writes.
    """
    passages = {
        "product": product(told),
        "queues": queues(told),
        "policies": policies(told),
        "estimates": estimates(told),
        "labels": labels(told),
        "limits": limits(told),
    }

    def put(mark: re.Match[str]) -> str:
        return f"<!-- {mark[1]} -->\n{passages[mark[1]]}\n<!-- /{mark[1]} -->"

    return re.sub(r"<!-- (\w+) -->\n.*?<!-- /\1 -->", put, page, flags=re.DOTALL)


def product(told: Mapping[str, Any]) -> str:
    """What was simulated."""
    n_silent = sum(mode.silent for mode in MODES)
    n_blind = sum(mode.silent and not mode.seen for mode in MODES)
    return (
        f"{told['products']} products of {told['days'] // WEEK} weeks, {told['traces_a_day']:,} traces a day in "
        f"{len(CATEGORIES)} skewed categories; {told['failure_rate']:.1f} % of the traces fail, in {len(MODES)} hidden "
        f"modes. Of {n_silent} of them no user ever complains, and {n_blind} of these the judge does not see either; one "
        f"is as rare as one trace in four thousand; one begins on day {DRIFT_DAY}. Users complain about fine answers, "
        f"keep silent about bad ones, and one of them sends 2 % of the traffic and complains about half of it. Every "
        f"queue gets {BUDGET} labels a day, all of them right. A mode counts as found with {FOUND} labelled failures."
    )


def queues(told: Mapping[str, Any]) -> str:
    """What each queue finds."""
    rows = [
        (
            f"| queue | failures per {BUDGET} labels | modes found, of {len(MODES)} | silent ones after {_EARLY} days, "
            f"of {sum(mode.silent for mode in MODES)} | after {told['days']} | share of labels that failed, less the truth |"
        ),
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {name} | {found['failures_per_80']:.1f} | {found['modes_found']:.1f} | "
        f"{found['silent_by_day'][_EARLY - 1]:.1f} | {found['silent_found']:.1f} | {found['naive_off']:+.1f} points |"
        for name, found in told["queues"].items()
    ]
    return "\n".join(rows)


def policies(told: Mapping[str, Any]) -> str:
    """What each policy of the default mix brings."""
    rows = [
        f"| policy | labels a day | failures per {BUDGET} | of them silent | modes seen | silent modes seen |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {name} | {found['labels_a_day']:.0f} | {found['failures_per_80']:.1f} | {found['silent_share']:.0%} | "
        f"{found['modes_seen']:.1f} | {found['silent_modes_seen']:.1f} |"
        for name, found in told["policies"].items()
    ]
    return "\n".join(rows)


def estimates(told: Mapping[str, Any]) -> str:
    """How good a week's estimate is from each queue."""
    rows = [
        (
            "| queue | bias, points | typical error | interval holds the truth | its width | from its uniform core alone | "
            f"categories told, of {len(CATEGORIES)} |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in told["queues"].items():
        if "estimate" not in found:
            rows.append(f"| {name} | no estimate | | | | | |")
            continue
        week = found["estimate"][str(WEEK)]
        rows.append(
            f"| {name} | {week['bias']:+.2f} ± {week['bias_error']:.2f} | {week['rmse']:.2f} | {week['cover']:.0%} | "
            f"{week['width']:.1f} | {week['core_width']:.1f} | {found['categories']['told']:.1f} |"
        )
    return "\n".join(rows)


def labels(told: Mapping[str, Any]) -> str:
    """What more labels buy."""
    windows = told["queues"]["default mix"]["estimate"].values()
    rows = [
        "| labels | typical error, points | width of the interval | holds the truth | windows |",
        "|---|---|---|---|---|",
    ]
    rows += [
        f"| {row['labels']:,} | {row['rmse']:.1f} | {row['width']:.1f} | {row['cover']:.0%} | {row['windows']} |"
        for row in windows
    ]
    return "\n".join(rows)


def limits(told: Mapping[str, Any]) -> str:
    """What a reader should not hope for."""
    queues = told["queues"]
    uniform, default, risky = queues["random only"], queues["default mix"], queues["riskiest 80"]
    uncertain, down, tuned = queues["mostly uncertain"], queues["thumbs-down only"], queues["re-tuned mix"]
    week = str(WEEK)
    rare = MODES[-1].name
    return "\n".join(
        [
            (
                f"- **Random is the better ruler.** For the overall rate of a week, {BUDGET} random labels a day have an "
                f"interval of {uniform['estimate'][week]['width']:.1f} points and the default mix has "
                f"{default['estimate'][week]['width']:.1f}: most failures here are silent, so no model knows where they are, "
                "and labels spent on complaints are labels not spent on the rest. Only labels where the judge is unsure do "
                f"better ({uncertain['estimate'][week]['width']:.1f}). If one rate is all you want, draw random only."
            ),
            (
                f"- **Nothing finds what is too rare.** “{rare}” was found by {default['found_share'][rare]:.0%} of the "
                f"products under the default mix and by {uniform['found_share'][rare]:.0%} under random only. With n labels "
                "and none of a kind among them, its share of what they stand for is under 1 − 0.05^(1/n) with 95 % "
                "confidence: 0.5 % with 560 uniform labels. That is all that can be said."
            ),
            (
                f"- **Yield is not knowledge.** The riskiest {BUDGET} a day fail {risky['failures_per_80']:.0f} times in "
                f"{BUDGET}, find {risky['modes_found']:.1f} modes and {risky['blind_found']:.1f} of the "
                f"{sum(mode.silent and not mode.seen for mode in MODES)} that neither users nor judge see; thumbs-down only "
                f"finds {down['silent_by_day'][_EARLY - 1]:.1f} silent modes in {_EARLY} days. Neither supports any estimate."
            ),
            (
                f"- **Re-tuning moves towards yield.** The re-tuned mix has {tuned['failures_per_80']:.1f} failures per "
                f"{BUDGET} against {default['failures_per_80']:.1f}, finds {tuned['modes_found']:.1f} modes against "
                f"{default['modes_found']:.1f}, and pays with an interval of {tuned['estimate'][week]['width']:.1f} points "
                f"against {default['estimate'][week]['width']:.1f}. Floors keep it from going further."
            ),
            (
                f"- **Drift needs somebody who notices.** With an alert three days after something broke, the default mix "
                f"had its third failure of it within {default['drift_found_after'] + 1:.0f} days, before the alert, from other "
                "policies: the failure was common. A rarer one would have waited for the alert, and without alerts the drift "
                "policy is random."
            ),
            (
                "- **Labels were right here.** Reviewers err; agreement, disputes and re-labelled rows are there for that, "
                "and no weight repairs a rubric that two people read two ways."
            ),
        ]
    )
