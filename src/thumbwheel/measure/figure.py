"""One figure of a report: a number with its interval and its cases, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from thumbwheel.stats.interval import Estimate, wilson_count

#: Cases under which nothing is estimated.
LEAST_CASES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An estimate with its 95 % limits. What cannot be estimated is None and `why` says so: never 0, never NaN."""

    estimate: float | None = None
    low: float | None = None
    #: None beside an estimate: the upper limit is not reached yet.
    high: float | None = None
    #: Cases it rests on.
    n: int
    #: Cases it needs.
    m: int = LEAST_CASES
    why: str | None = None

    def as_dict(self) -> dict[str, object]:
        """`{"estimate", "interval": [low, high] | null, "n", "m"}`, and `"why"` when there is no estimate."""
        known = self.estimate is not None
        row: dict[str, object] = {
            "estimate": self.estimate,
            "interval": [self.low, self.high] if known else None,
            "n": self.n,
            "m": self.m,
        }
        if self.why is not None:
            row["why"] = self.why
        return row


def rate(k: int, n: int, *, of: str = "labels") -> Figure:
    """The share of `k` in `n` with its Wilson interval (stats.interval), `of` being what the `n` are.

    More than all of them is no share: rows that one count still knows are gone
    from the other (retention, erasure), which the figure says.
    """
    if n < LEAST_CASES:
        return too_few(n, of=of)
    if k > n:
        return Figure(n=n, why=f"not a share: {k} of {n} {of}, some of which are no longer kept")
    interval = wilson_count(k, n)
    return Figure(estimate=k / n, low=interval.low, high=interval.high, n=n)


def too_few(n: int, *, of: str = "labels", m: int = LEAST_CASES) -> Figure:
    """The figure that cannot be given yet."""
    return Figure(n=n, m=m, why=f"not enough {of}: {n} of {m}")


def figure(estimate: Estimate | None, n: int, *, otherwise: str) -> Figure:
    """The figure of an estimate made elsewhere; without one, `otherwise` is the reason."""
    if estimate is None:
        return Figure(n=n, why=otherwise)
    return Figure(estimate=estimate.point, low=estimate.interval.low, high=estimate.interval.high, n=n)
