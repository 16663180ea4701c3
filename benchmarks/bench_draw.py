"""A keyed draw against `ORDER BY random()`, and its growth from 100,000 to 1,000,000 traces.

Both read the same SQLite file. The keyed draw is the program's own: all five policies, exact inclusion
probabilities, 80 entries. The naive one only picks 80 trace ids of the window at random.

    python benchmarks/bench_draw.py [--small 100000] [--large 1000000]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import text

from thumbwheel.app import mint_id, weigh
from thumbwheel.domain.cell import Sign
from thumbwheel.domain.trace import JudgeScore, Trace
from thumbwheel.sample.ring import sample_key
from thumbwheel.services.sample import DrawRequest, Sample
from thumbwheel.store.engine import open_engine
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.migrate import migrate
from thumbwheel.store.traces import NewTrace

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SAID = [Sign.down, Sign.reason, Sign.edit, Sign.regenerate, Sign.regenerate | Sign.down, Sign.clarification]
CATEGORIES = [f"category {number}" for number in range(20)]
ROUNDS = 7


def fill(ledger: Ledger, n: int) -> None:
    """`n` traces over a quarter, in order of time: 4 % have a negative signal, all have a judge's score."""
    rng = Random(1)
    first = NOW - timedelta(days=91)
    step = timedelta(days=91) / n
    for begin in range(0, n, 5000):
        new = []
        for number in range(begin, min(begin + 5000, n)):
            trace_id = f"trace-{number}"
            judge = JudgeScore(score=rng.betavariate(8, 1))
            category = CATEGORIES[min(19, int(rng.expovariate(0.35)))]
            trace = Trace(
                id=trace_id,
                started_at=first + number * step,
                category=category,
                user_id=f"user-{rng.randrange(n // 20)}",
                judge=judge,
            )
            new.append(NewTrace(trace, sample_key(b"bench", trace_id), number))
        with ledger.archive(1) as tx:
            rows = tx.traces.add_all(new, NOW)
            known = [(row, weigh((), row.judge_score)) for row in rows]
            tx.evidence.add_all(
                [(row, cell._replace(signs=rng.choice(SAID)) if rng.random() < 0.04 else cell) for row, cell in known]
            )
            tx.traces.mark_judged(tx.traces.last_number())


def timed(run: object, rounds: int = ROUNDS) -> float:
    """Median milliseconds of some runs, after one that is not counted."""
    assert callable(run)
    run()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def measure(folder: Path, n: int) -> dict[str, float]:
    """Milliseconds of the keyed draw, of its 80 random rows alone, and of the naive query."""
    engine = open_engine(f"sqlite:///{folder}/{n}.db")
    migrate(engine)
    ledger = Ledger(engine)
    start = time.perf_counter()
    fill(ledger, n)
    print(f"  filled {n:,} traces in {time.perf_counter() - start:.0f} s", flush=True)
    sample = Sample(ledger, lambda: NOW, mint_id, b"bench", lambda _project: 0)
    seeds = iter(range(10_000))

    def all_policies() -> None:
        request = DrawRequest(budget=80, window=timedelta(days=7), seed=next(seeds), dry_run=True)
        assert len(sample.draw(1, request).entries) == 80

    def random_only() -> None:
        mix = {"random": 1.0}
        request = DrawRequest(budget=80, window=timedelta(days=7), seed=next(seeds), mix=mix, dry_run=True)
        assert len(sample.draw(1, request).entries) == 80

    last = int(NOW.timestamp() // 86400)
    naive = text(
        "SELECT trace_id FROM traces WHERE project_id = 1 AND day BETWEEN :a AND :b ORDER BY random() LIMIT 80"
    )

    def by_random() -> None:
        with engine.connect() as connection:
            rows = connection.execute(naive, {"a": last - 7, "b": last}).all()
        assert len(rows) == 80

    def keyed_rows() -> None:
        span = int((80 + 4 * 80**0.5) / (n / 13) * 2**63)
        with ledger.read(1) as tx:
            low = (next(seeds) * 7919 * 2**40) % (2**63 - span)
            assert len(tx.traces.read_keys(range(last - 6, last + 1), CATEGORIES, low, low + span)) >= 60

    return {
        "80 rows by key": timed(keyed_rows),
        "keyed draw, five policies": timed(all_policies),
        "keyed draw, random only": timed(random_only),
        "ORDER BY random()": timed(by_random),
    }


def main() -> None:
    """Measure both sizes and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, large = (measure(Path(folder), n) for n in (asked.small, asked.large))
    print(f"\n{'80 of one week, SQLite, ms':32}{asked.small:>12,}{asked.large:>12,}{'growth':>9}")
    for name, before in small.items():
        print(f"{name:32}{before:12.1f}{large[name]:12.1f}{large[name] / before:8.2f}x")
    ratio = large["ORDER BY random()"] / large["80 rows by key"]
    print(f"\nat {asked.large:,}: ORDER BY random() takes {ratio:.0f} times as long as reading 80 rows by key")


if __name__ == "__main__":
    main()
