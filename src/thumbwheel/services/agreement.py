"""Agreement of the raters in a table of ratings: a file's rows in, every coefficient out, with no store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from thumbwheel.errors import Invalid
from thumbwheel.stats.alpha import (
    Bootstrap,
    Coefficient,
    Scale,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    percent_agreement,
)
from thumbwheel.stats.given import NumbersRequired, OrderRequired, OutOfRange
from thumbwheel.stats.interval import Interval
from thumbwheel.stats.kappa import Weights, cohen_kappa_of
from thumbwheel.stats.ratings import Ratings, rate_rows, scale_of

#: How Cohen's kappa credits a near miss on each scale.
_WEIGHTS: dict[Scale, Weights] = {"nominal": "nominal", "ordinal": "linear", "interval": "quadratic"}
#: The same file gives the same intervals.
_SEED = 2004


def agreement_of_rows(
    rows: Sequence[Mapping[str, str]], scale: Scale = "nominal", order: Sequence[str] = ()
) -> dict[str, Any]:
    """Every coefficient of agreement of a long table `item, rater, value`; a row without a value was not rated.

    `order` lists an ordinal scale's words from low to high; numbers need none. Krippendorff's alpha reads the scale;
    Cohen's kappa, for each two raters, is unweighted on a nominal scale, linear on an ordinal and quadratic on an
    interval one; percent agreement, Fleiss' kappa, Gwet's AC1 and the categories, each against the rest, are nominal.
    A coefficient that does not exist is `{"undefined": why}`.

    Raises:
        Invalid: naming the row or the column that cannot be read, or the scale the values do not fit.
    """
    rated = _rated(rows)
    words: Sequence[Hashable] = order
    written: dict[Hashable, Hashable] = {}
    if scale != "nominal" and not order:
        numbers = {key: _number(value, key, scale) for key, value in rated.items()}
        written = {numbers[key]: value for key, value in reversed(rated.items())}
        rated, words = dict(numbers), scale_of(numbers.values())[0]
    try:
        return _figures(rated, scale, words if scale != "nominal" else None, written)
    except (NumbersRequired, OrderRequired, OutOfRange) as fault:
        raise Invalid(f"{str(fault)[:1].upper()}{str(fault)[1:]}.", field="value") from fault


def _figures(
    rated: Mapping[tuple[str, str], Hashable],
    scale: Scale,
    order: Sequence[Hashable] | None,
    written: Mapping[Hashable, Hashable],
) -> dict[str, Any]:
    ratings = rate_rows((item for item, _ in rated), rated.values(), order=order)
    how = Bootstrap(rng=np.random.default_rng(_SEED))
    found = {
        "percent_agreement": percent_agreement(ratings, bootstrap=how),
        "krippendorff_alpha": krippendorff_alpha(ratings, scale, bootstrap=how),
        "fleiss_kappa": fleiss_kappa(ratings, bootstrap=how),
        "gwet_ac1": gwet_ac1(ratings, bootstrap=how),
    }
    kappas, limits = _pairs(rated, scale, order)
    return {
        "n_items": ratings.n_units,
        "n_raters": len({rater for _, rater in rated}),
        "n_ratings": ratings.n_ratings,
        **{name: _told(each) for name, each in found.items()},
        "cohen_kappa": kappas,
        "per_category": {str(written.get(value, value)): _one(ratings, value, how) for value in ratings.values},
        "intervals": {name: _ends(each.interval) for name, each in found.items()} | {"cohen_kappa": limits},
    }


def _pairs(
    rated: Mapping[tuple[str, str], Hashable], scale: Scale, order: Sequence[Hashable] | None
) -> tuple[dict[str, Any], dict[str, list[float] | None]]:
    by_rater: dict[str, dict[str, Hashable]] = defaultdict(dict)
    for (item, rater), value in rated.items():
        by_rater[rater][item] = value
    kappas: dict[str, Any] = {}
    limits: dict[str, list[float] | None] = {}
    for one, other in combinations(sorted(by_rater), 2):
        shared = sorted(by_rater[one].keys() & by_rater[other].keys())
        mine, theirs = ([by_rater[rater][item] for item in shared] for rater in (one, other))
        result = cohen_kappa_of(mine, theirs, categories=order, weights=_WEIGHTS[scale])
        name = f"{one}|{other}"
        kappas[name] = {"undefined": result.reason} if result.kappa is None else result.kappa
        limits[name] = _ends(result.interval)
    return kappas, limits


def _one(ratings: Ratings, value: Hashable, how: Bootstrap) -> dict[str, Any]:
    """One category against the rest: where a codebook reads two ways, this says where."""
    found = krippendorff_alpha(ratings.one_vs_rest(value), bootstrap=how)
    uses = ratings.units @ ratings.counts[:, [ratings.values.index(value)]].toarray().ravel()
    return {"n_ratings": int(uses), "krippendorff_alpha": _told(found), "interval": _ends(found.interval)}


def _rated(rows: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], Hashable]:
    rated: dict[tuple[str, str], Hashable] = {}
    for number, row in enumerate(rows, start=1):
        item, rater, value = ((row.get(column) or "").strip() for column in ("item", "rater", "value"))
        if not item or not rater:
            raise Invalid(f"Row {number} has no {'rater' if item else 'item'}.", field="rater" if item else "item")
        if not value:
            continue
        if rated.setdefault((item, rater), value) != value:
            raise Invalid(f"Row {number}: {rater} has rated {item} before, and differently.", field="value")
    return rated


def _number(value: Hashable, key: tuple[str, str], scale: Scale) -> float:
    try:
        return float(str(value))
    except ValueError as fault:
        cure = ": list its words from low to high with --order" if scale == "ordinal" else ""
        raise Invalid(f"{value} (item {key[0]}) is no number, on an {scale} scale{cure}.", field="value") from fault


def _told(found: Coefficient) -> float | dict[str, str | None]:
    return {"undefined": found.undefined} if found.value is None else found.value


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
