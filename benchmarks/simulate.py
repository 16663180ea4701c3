"""A simulated product, and what each way to fill a queue finds in it.

Eight weeks of traffic with hidden failure modes, noisy users and one that complains about everything; the draws are
the program's own. Writes the figures and pictures of docs/sampling.md. Seeded: the same numbers come out each time.

    python benchmarks/simulate.py [--products 12] [--quick | --check | --page]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks.simulation.figures import of_policies, of_queue, weeks_of  # noqa: E402
from benchmarks.simulation.page import filled  # noqa: E402
from benchmarks.simulation.pictures import pictures  # noqa: E402
from benchmarks.simulation.product import of_json  # noqa: E402
from benchmarks.simulation.queues import MIXES, WITHOUT, Run, a_product, run_queue  # noqa: E402
from benchmarks.simulation.store import same_as_a_store  # noqa: E402

WEEKS, PER_DAY = 8, 6_000
FIGURES = ROOT / "benchmarks" / "simulate.json"
PAGE, PICTURES = ROOT / "docs" / "sampling.md", ROOT / "docs" / "images"


def run_product(seed: int, weeks: int) -> list[Run]:
    """Every queue over one product."""
    days = a_product(seed, 7 * weeks, PER_DAY)
    return [run_queue(queue, days, seed) for queue in (*MIXES, *WITHOUT)]


def simulate(products: int, weeks: int) -> dict[str, Any]:
    """All figures."""
    with ProcessPoolExecutor(max_workers=min(products, os.cpu_count() or 1)) as pool:
        found = list(pool.map(partial(run_product, weeks=weeks), range(1, products + 1)))
    by_queue = {runs[0].queue: list(runs) for runs in zip(*found, strict=True)}
    default = by_queue["default mix"]
    told = {
        "products": products,
        "days": 7 * weeks,
        "traces_a_day": PER_DAY,
        "failure_rate": sum(week["truth"] for run in default for week in weeks_of(run)) / (weeks * products),
        "queues": {queue: of_queue(runs) for queue, runs in by_queue.items()},
        "policies": of_policies(default),
        "weeks": weeks_of(default[0]),
        "retuned_to": by_queue["re-tuned mix"][0].mixes[-1],
    }
    rounded: dict[str, Any] = of_json(told)
    return rounded


def show(told: dict[str, Any]) -> None:
    print(f"{told['products']} products of {told['days']} days, {told['failure_rate']:.2f} % of traces fail")
    print(
        "queue                 failures/80  modes  silent  blind | estimate off by (rmse)  cover  width  naive share off by"
    )
    for queue, found in told["queues"].items():
        row = f"{queue:20}  {found['failures_per_80']:11.1f}  {found['modes_found']:5.1f}  {found['silent_found']:6.1f}"
        row += f"  {found['blind_found']:5.1f} | "
        week = found.get("estimate", {}).get("7")
        if week:
            row += f"{week['bias']:+9.2f} ({week['rmse']:.2f})       {week['cover']:6.1%}  {week['width']:5.1f}"
        else:
            row += " " * 39
        print(row + f"  {found['naive_off']:+9.1f}")
    print("policy      labels/day  failures/80  silent  modes seen")
    for policy, found in told["policies"].items():
        print(
            f"{policy:10}  {found['labels_a_day']:10.1f}  {found['failures_per_80']:11.1f}  {found['silent_share']:6.0%}"
            f"  {found['modes_seen']:10.1f}"
        )


def write(told: dict[str, Any]) -> None:
    """The page's passages and pictures."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), told), encoding="utf-8")
    for name, svg in pictures(told).items():
        (PICTURES / name).write_text(svg, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=12)
    parser.add_argument("--quick", action="store_true", help="two products of two weeks; writes nothing")
    parser.add_argument("--page", action="store_true", help="only write page and pictures anew from the kept figures")
    parser.add_argument("--check", action="store_true", help="only compare a draw from memory with one from a store")
    options = parser.parse_args()
    if options.page:
        write(json.loads(FIGURES.read_text(encoding="utf-8")))
        return
    print(f"a store draws the same: {same_as_a_store(per_day=3_000)} entries, each with the same chance")
    if options.check:
        return
    told = simulate(2, 2) if options.quick else simulate(options.products, WEEKS)
    show(told)
    if not options.quick:
        FIGURES.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        write(told)


if __name__ == "__main__":
    main()
