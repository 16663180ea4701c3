"""80 of 100,000, 1,000,000 and 10,000,000 traces, against what people do instead, over the same rows.

The draw is the program's own: all five policies, exact inclusion probabilities, sums for the estimator, reasons. The
others only pick 80 ids at random: `ORDER BY random()`, pandas after pulling the window, DuckDB after a copy. pandas and
DuckDB are no part of thumbwheel; where they are not installed their lines say so.

    PYTHONPATH=. python benchmarks/bench_sample.py [--sizes 100000 1000000 10000000] [--engines sqlite postgresql] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from archive import DAYS, NOW, fill
from sqlalchemy import Engine, text

from tests.postgres import create_database, running_postgres
from tests.statements import counted
from thumbwheel.app import mint_id
from thumbwheel.services.sample import DrawRequest, Sample
from thumbwheel.store.engine import open_engine
from thumbwheel.store.ledger import Ledger

ROUNDS = 9
WEEK, QUARTER = timedelta(days=7), timedelta(days=DAYS)
_LAST = int(NOW.timestamp() // 86_400)
_WITHIN = f"FROM traces WHERE project_id = 1 AND day BETWEEN {_LAST - 7} AND {_LAST}"

Figures = dict[str, float | str]


def timed(run: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median milliseconds of some runs after one that is not counted: by the clock, and of this process's own work."""
    run()
    taken = []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        taken.append((1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)))
    return statistics.median(wall for wall, _ in taken), statistics.median(cpu for _, cpu in taken)


def measure(engine: Engine, url: str, scratch: Path) -> Figures:
    """Everything there is to say of one store."""
    figures: Figures = {}
    sample = Sample(Ledger(engine), lambda: NOW, mint_id, b"bench", lambda _project: 0)
    seeds = iter(range(10_000))

    def draw(window: timedelta, *, dry_run: bool = True) -> None:
        request = DrawRequest(budget=80, window=window, seed=next(seeds), dry_run=dry_run)
        assert len(sample.draw(1, request).entries) == 80

    for name, window in (("week", WEEK), ("quarter", QUARTER)):
        wall, cpu = timed(lambda window=window: draw(window))  # type: ignore[misc]
        figures[f"draw from a {name}"] = wall
        figures[f"  its own CPU, {name}"] = cpu
    with counted(engine) as reads:
        draw(WEEK)
    figures["  statements"], figures["  rows fetched"] = float(len(reads.statements)), float(reads.n_rows)
    figures["whole command, s"], figures["  its CPU, s"], figures["  its memory, MB"] = command(url)
    figures["ORDER BY random() LIMIT 80"] = timed(lambda: by_random(engine), 5)[0]
    figures["pandas: pull, sample"] = pulled(engine)
    figures["DuckDB: sample of its copy"] = copied(engine, scratch)
    start = time.perf_counter()
    draw(WEEK, dry_run=False)
    figures["draw and queue, once"] = 1000 * (time.perf_counter() - start)
    with engine.execution_options(writes=True).begin() as connection:
        for table in ("waiting", "queue_entries", "draws"):
            connection.execute(text(f"DELETE FROM {table}"))
    return figures


#: Runs a command and prints what it took; small, since a process is charged with the memory of the one it came from.
_LAUNCH = """
import os, sys, time
start = time.perf_counter()
_, status, used = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
print(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, status)
"""


def command(url: str) -> tuple[float, float, float]:
    """Seconds, CPU seconds and megabytes of `thumbwheel sample --dry-run`: the median of five processes."""
    program = str(Path(sys.executable).parent / "thumbwheel")
    since = int((time.time() - (NOW - WEEK).timestamp()) / 3600)
    words = [program, "sample", "--dry-run", "--window", f"{since}h"]
    runs = []
    for _ in range(5):
        launched = subprocess.run(
            [sys.executable, "-S", "-c", _LAUNCH, *words],
            env=os.environ | {"THUMBWHEEL_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=True,
        )
        wall, cpu, memory, status = map(float, launched.stdout.splitlines()[-1].split())
        assert status == 0, launched.stderr
        runs.append((wall, cpu, memory))
    wall, cpu, memory = (statistics.median(each) for each in zip(*runs, strict=True))
    return wall, cpu, memory


def by_random(engine: Engine) -> None:
    """What everybody writes first."""
    with engine.connect() as connection:
        assert len(connection.execute(text(f"SELECT trace_id {_WITHIN} ORDER BY random() LIMIT 80")).all()) == 80


def pulled(engine: Engine) -> float | str:
    """Milliseconds of pulling the week into pandas and sampling there."""
    try:
        import pandas
    except ImportError:
        return "not installed"

    def run() -> None:
        with engine.connect() as connection:
            frame = pandas.read_sql_query(
                text(f"SELECT trace_id, category, user_id, judge_score {_WITHIN}"),
                connection,
            )
        assert len(frame.sample(80)) == 80

    return timed(run, 1)[0]


def copied(engine: Engine, scratch: Path) -> float | str:
    """Milliseconds of a uniform sample of the week in DuckDB, once the week has been copied there."""
    try:
        import duckdb
        import pandas
    except ImportError:
        return "not installed"
    with duckdb.connect(str(scratch / "copy.duckdb")) as duck, engine.connect() as connection:
        duck.execute("CREATE OR REPLACE TABLE traces (project_id INT, day INT, trace_id TEXT, category TEXT)")
        for day in range(_LAST - DAYS, _LAST + 1):
            rows = text(f"SELECT project_id, day, trace_id, category FROM traces WHERE project_id = 1 AND day = {day}")
            whole = pandas.read_sql_query(rows, connection)
            duck.execute("INSERT INTO traces SELECT * FROM whole")
            del whole

        def run() -> None:
            picked = duck.execute(f"SELECT trace_id {_WITHIN} ORDER BY random() LIMIT 80").fetchall()
            assert len(picked) == 80

        return timed(run, 5)[0]


@contextmanager
def store(kind: str, n: int, folder: Path) -> Iterator[tuple[Engine, str]]:
    """A store with `n` traces; one in a folder that is kept is filled only once."""
    with running_postgres("shared_buffers=1GB") if kind == "postgresql" else nothing() as server:
        path = folder / f"{n}.db"
        url = create_database(server, "bench") if server else f"sqlite:///{path}"
        is_filled = not server and path.exists()
        engine = open_engine(url)
        start = time.perf_counter()
        if not is_filled:
            fill(engine, n)
        print(f"  {kind}: {n:,} traces in {time.perf_counter() - start:.0f} s", flush=True)
        try:
            yield engine, url
        finally:
            engine.dispose()


@contextmanager
def nothing() -> Iterator[str]:
    """No server."""
    yield ""


def show(kind: str, sizes: list[int], found: list[Figures]) -> None:
    """One table: a line for each figure, a column for each size, and how much it grew."""
    print(f"\n{'ms, ' + kind:32}" + "".join(f"{n:>13,}" for n in sizes) + f"{'growth':>10}")
    for name, first in found[0].items():
        values = [each[name] for each in found]
        cells = "".join(f"{value:13.2f}" if isinstance(value, float) else f"{value:>13}" for value in values)
        last = values[-1]
        grew = f"{last / first:9.2f}x" if isinstance(first, float) and isinstance(last, float) and first else ""
        print(f"{name:32}{cells}{grew}")
    draw, naive = found[-1]["draw from a week"], found[-1]["ORDER BY random() LIMIT 80"]
    if isinstance(draw, float) and isinstance(naive, float):
        print(f"at {sizes[-1]:,}: ORDER BY random() takes {naive / draw:.1f} times as long as a whole draw", flush=True)


def main() -> None:
    """Measure every size on every engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--engines", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    parser.add_argument("--keep", type=Path, help="a folder for SQLite's files, filled already by an earlier run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for kind in asked.engines:
            found = []
            for n in asked.sizes:
                with store(kind, n, folder) as (engine, url):
                    found.append(measure(engine, url, Path(scratch)))
                show(kind, asked.sizes[: len(found)], found)


if __name__ == "__main__":
    main()
