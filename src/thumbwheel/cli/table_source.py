"""The command `pull postgres`: the thumbs table a team already has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli.mapping import MapOption, ReasonOption, Said, ValueOption, YesOption
from thumbwheel.cli.sources import pull
from thumbwheel.cli.wheel import ProjectOption, open_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thumbwheel.app import Wheel
    from thumbwheel.cli.incoming import Coming
    from thumbwheel.connectors.postgres_table import PostgresTable


def register(_app: typer.Typer) -> None:
    """Add the command to `pull`."""
    pull.command("postgres")(pull_postgres)


def pull_postgres(
    query: Annotated[str, typer.Option("--query", help="What to read: one SELECT.")],
    dsn: Annotated[
        str,
        typer.Option(
            "--dsn", envvar="THUMBWHEEL_PULL_DSN", help="postgresql://…; else what PGHOST, PGSERVICE and the like say."
        ),
    ] = "",
    what: Annotated[str, typer.Option("--what", help="What the rows are: signals or traces.")] = "signals",
    name: Annotated[str | None, typer.Option("--name", help="Name of the source; else the first table read.")] = None,
    cursor: Annotated[
        str | None, typer.Option("--cursor", help="Column to go on from next time: created_at, an id that grows.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Begin here, not where the last pull ended.")] = None,
    afresh: Annotated[bool, typer.Option("--afresh", help="Read everything once more.")] = False,
    maps: MapOption = None,
    values: ValueOption = None,
    reasons: ReasonOption = None,
    yes: YesOption = False,
    project: str = ProjectOption,
    as_json: Annotated[bool, typer.Option("--json", help="Print, last, one line of JSON.")] = False,
) -> None:
    """Bring in thumbs, reasons and edits from a table in PostgreSQL, and traces where its rows have them.

    What the columns and values are is guessed, shown and, where it is
    doubtful, asked; the answers are saved with the project. Nothing is
    written there. Rows may be read twice: each is kept once.

    Example: `thumbwheel pull postgres --dsn postgresql://reader@db/app --query 'SELECT * FROM feedback' --cursor created_at`
    """
    from thumbwheel.connectors.fields import What
    from thumbwheel.connectors.postgres_table import PostgresTable, table_name
    from thumbwheel.errors import Invalid

    if what not in set(What):
        raise Invalid(f"Rows are signals or traces; not {what!r}.", field="what")
    if since is not None and cursor is None:
        raise Invalid("--since needs --cursor: the column it is compared with.", field="since")
    table = PostgresTable(dsn, query, cursor)
    source = name or table_name(query)
    said = Said.of(maps, values, reasons)
    with open_wheel() as wheel:
        _Pull(wheel, wheel.project(project), table, source).run(
            What(what), said, since, yes=yes, afresh=afresh, as_json=as_json
        )


class _Pull:
    """One run over one table."""

    def __init__(self, wheel: Wheel, project_id: int, table: PostgresTable, source: str) -> None:
        self._wheel = wheel
        self._project_id = project_id
        self._table = table
        self._source = source
        self._saved_at: str | None = None

    def run(self, what: Any, said: Said, since: str | None, *, yes: bool, afresh: bool, as_json: bool) -> None:
        """Settle what the columns are, read, keep and tell."""
        from pathlib import Path

        from thumbwheel.cli.incoming import ComingSignals, ComingTraces
        from thumbwheel.cli.mapping import settle_columns
        from thumbwheel.connectors.fields import What
        from thumbwheel.connectors.files import RejectedFile

        found = self._table.look()
        columns = settle_columns(
            self._wheel, self._project_id, self._source, found, what, said, yes=yes, source=self._source
        )
        with RejectedFile(Path(self._source.replace("/", "_"))) as rejected:
            make = ComingTraces if what is What.traces else ComingSignals
            coming = make(self._wheel, self._project_id, rejected)
            after = since or (None if afresh else self._position())
            for row in _watched(self._rows(columns, coming, after), self._source):
                coming.take(row)
            coming.flush()
            self._tell(coming, rejected, as_json=as_json)

    def _position(self) -> str | None:
        """Where the last pull of the same query ended."""
        from thumbwheel.cli.mapping import read_table

        position = read_table(self._wheel, self._project_id, self._source).get("position", {})
        return position.get("after") if position.get("of") == self._table.digest else None

    def _rows(self, columns: Any, coming: Coming, after: str | None) -> Iterator[Any]:
        """The rows as native JSON; where they are is saved each time what was read so far has been kept."""
        from thumbwheel.cli.incoming import BATCH
        from thumbwheel.connectors.files import Row, table_rows

        position = after
        for number, cells in enumerate(self._table.rows(after), 1):
            yield from table_rows(columns, Row(number, cells, None, cells))
            position = self._table.position(cells, self._wheel.now()) or position
            if number % BATCH == 0:
                coming.flush()
                self._save(position)
        coming.flush()
        self._save(position)

    def _save(self, position: str | None) -> None:
        from thumbwheel.cli.mapping import save_table

        if position is not None and position != self._saved_at:
            self._saved_at = position
            known = {"position": {"of": self._table.digest, "after": position}}
            save_table(self._wheel, self._project_id, self._source, known)

    def _tell(self, coming: Coming, rejected: Any, *, as_json: bool) -> None:
        traces, signals = coming.counted
        told = {"source": self._source, "traces": traces, "observations": 0, "scores": signals}
        told |= {"duplicates": coming.duplicates, "rejected": coming.refused, "skipped": coming.skipped}
        told["rejected_file"] = str(rejected.path) if coming.refused else None
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False))
        else:
            typer.echo(
                f"{self._source}: {signals:,} signals and {traces:,} traces are new, "
                f"{coming.duplicates:,} were here already, {coming.refused:,} refused, {coming.skipped:,} say nothing"
            )
            if coming.refused:
                typer.echo(f"The refused rows are in {rejected.path}")
        if coming.refused and not (traces or signals or coming.duplicates):
            raise typer.Exit(1)


def _watched(rows: Iterator[Any], name: str) -> Iterator[Any]:
    """The rows, counted where somebody watches."""
    from thumbwheel.cli.progress import progress_counting

    yield from progress_counting(rows, name)
