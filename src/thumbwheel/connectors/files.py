"""Files of traces and signals: JSONL, CSV and Parquet, read as a stream, and a file for the rows that were refused."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Protocol, Self

import msgspec

from thumbwheel.connectors.columns import Columns
from thumbwheel.connectors.fields import What
from thumbwheel.errors import ExtraMissing, Invalid, ThumbwheelError

#: A longer line is refused: the largest trace the server takes over HTTP is far smaller.
MAX_LINE_BYTES: Final = 64 * 2**20

_SURROGATES: Final = ("\udc80", "\udcff")
_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class Format(StrEnum):
    """How a file is written."""

    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


_SUFFIXES: Final = {
    ".jsonl": Format.jsonl,
    ".ndjson": Format.jsonl,
    ".json": Format.jsonl,
    ".csv": Format.csv,
    ".tsv": Format.csv,
    ".parquet": Format.parquet,
    ".pq": Format.parquet,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: an object in the native JSON, or the reason why it is none."""

    #: Line of the file where it starts, 1 = first; in Parquet the number of the row.
    line: int
    #: None when there is an error.
    item: dict[str, Any] | None
    error: Invalid | None
    #: The row as it stood in the file: an object, or text where it could not be read.
    raw: Any
    #: The trace its signals are about, in the native JSON, where the row has one.
    trace: dict[str, Any] | None = None
    #: Whether it says nothing, by what its values were said to stand for.
    skipped: bool = False


class _Parquet(Protocol):
    """What is used of pyarrow's ParquetFile."""

    metadata: Any
    schema_arrow: Any

    def iter_batches(self, batch_size: int) -> Iterator[Any]: ...


class RowFile:
    """The rows of one file, in order, read as they are asked for.

    Iterate once. `done` of `total` has been read: bytes of the file as it
    lies on the disk, rows for Parquet.
    """

    def __init__(self, path: Path, what: What, columns: Columns | Mapping[str, str] | None = None) -> None:
        """Look at the file without reading its rows.

        `columns` maps a table's columns to fields where their names don't say (see thumbwheel.connectors.columns);
        as `Columns` they are all that is read, also of objects in JSONL.

        Raises:
            Invalid: this is no JSONL, CSV or Parquet file.
            ExtraMissing: it is Parquet, and pyarrow is not installed.
        """
        self.path = path
        self.what = what
        self._given = columns
        self._packed, self.format = _recognise(path)
        self._parquet = _open_parquet(path) if self.format is Format.parquet else None
        self.total: int = self._parquet.metadata.num_rows if self._parquet else path.stat().st_size
        self.unit = "rows" if self._parquet else "bytes"
        self._done: Callable[[], int] = lambda: 0
        self._header: list[str] = []
        #: Which column is which field; None for JSONL, and until a CSV's header is read.
        self.columns: Columns | None = columns if isinstance(columns, Columns) else None

    def look(self, limit: int = 1_000) -> tuple[list[str], list[dict[str, Any]]]:
        """The names of the columns, and the first rows that can be read as they stand in the file.

        Raises:
            Invalid: the file as a whole cannot be read.
        """
        with closing(self._cells()) as found:
            rows = [row.item for row in islice(found, limit) if row.item is not None]
        return self._header or list(dict.fromkeys(name for row in rows for name in row)), rows

    @property
    def done(self) -> int:
        """How much of `total` has been read."""
        return self._done()

    def __iter__(self) -> Iterator[Row]:
        """The rows. A row that cannot be read comes with its error, and the next follows.

        Raises:
            Invalid: the file as a whole cannot be read: its header or its encoding.
        """
        for row in self._cells():
            if row.item is None or (self.format is Format.jsonl and self.columns is None):
                yield row
            else:
                yield from table_rows(self._as_columns(), row)
        if self._header:
            self._as_columns()

    def _as_columns(self) -> Columns:
        if self.columns is None:
            assert not isinstance(self._given, Columns)
            self.columns = Columns.of(self._header, self.what, self._given)
        return self.columns

    def _cells(self) -> Generator[Row]:
        """The rows as they stand in the file."""
        if self._parquet:
            yield from self._parquet_rows(self._parquet)
            return
        with self.path.open("rb") as file:
            self._done = file.tell
            lines = _Lines(gzip.GzipFile(fileobj=file) if self._packed else file)
            yield from _jsonl_rows(lines) if self.format is Format.jsonl else self._csv_rows(lines)
            if lines.fault:
                yield Row(lines.line + 1, None, Invalid(lines.fault), None)
            self._done = lambda: self.total

    def _csv_rows(self, lines: _Lines) -> Iterator[Row]:
        csv.field_size_limit(MAX_LINE_BYTES)
        header = next(lines, None)
        if header is None:
            return
        lines.give_back(header.removeprefix("\ufeff"))
        reader = csv.reader(lines, delimiter=max(",;\t|", key=header.count), strict=True)
        try:
            names = next(reader)
        except csv.Error as fault:
            raise Invalid(f"The header is not CSV: {fault}.") from fault
        self._header = names
        while True:
            lines.given.clear()
            line = lines.line + 1
            try:
                cells = next(reader, None)
            except csv.Error as fault:
                # An open quote swallows what follows: only its own line is refused, the rest is read again.
                first, *rest = lines.given
                lines.give_back(*rest)
                yield Row(line, None, Invalid(f"This is not CSV: {fault}."), _readable(first))
                continue
            if cells is None:
                return
            yield from self._csv_row(line, names, cells)

    def _csv_row(self, line: int, names: list[str], cells: list[str]) -> Iterator[Row]:
        if not any(cells):
            return
        raw = {name: _readable(cell) for name, cell in zip(names, cells, strict=False)}
        if len(cells) != len(names):
            error = Invalid(f"The row has {len(cells)} cells, the header {len(names)}.")
            yield Row(line, None, error, raw if len(cells) < len(names) else [_readable(cell) for cell in cells])
            return
        broken = next((name for name, cell in zip(names, cells, strict=True) if _not_utf8(cell)), None)
        if broken is not None:
            yield Row(line, None, Invalid(f"Line {line} is not UTF-8.", field=broken), raw)
            return
        yield Row(line, dict(zip(names, cells, strict=True)), None, raw)

    def _parquet_rows(self, file: _Parquet) -> Iterator[Row]:
        self._header = list(file.schema_arrow.names)
        read = 0
        self._done = lambda: read
        for batch in file.iter_batches(batch_size=500):
            for cells in batch.to_pylist(maps_as_pydicts="lossy"):
                read += 1
                yield Row(read, cells, None, cells)


def table_rows(columns: Columns, row: Row) -> Iterator[Row]:
    """A row of a table's cells as rows of native JSON, one for each thing it says; the first has its trace."""
    assert row.item is not None
    try:
        read = columns.read(row.item)
    except Invalid as error:
        yield Row(row.line, None, error, row.raw)
        return
    if not read.items:
        yield Row(row.line, None, None, row.raw, skipped=True)
    traces = [read.trace] + [None] * len(read.items)
    yield from (Row(row.line, item, None, row.raw, trace) for item, trace in zip(read.items, traces, strict=False))


class RejectedFile:
    """Keeps refused rows in `<input>.rejected.jsonl` beside the input: {line, error, field, row}, one a line.

    An input that is no file leaves one that only its owner may read.

    The file appears with the first refusal. One left by an earlier import of
    the same input goes, so that what is there is what this import refused.
    """

    def __init__(self, source: Path) -> None:
        self.path = source.with_name(source.name + ".rejected.jsonl")
        self._source = source
        self._file: IO[str] | None = None
        self.n_rows = 0

    def add(self, row: Row, error: ThumbwheelError) -> None:
        """Keep one refused row with the reason."""
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8")
            # Whoever may not read the input may not read what was left of it.
            self.path.chmod(self._source.stat().st_mode & 0o777 if self._source.exists() else 0o600)
        kept = {"line": row.line, "error": error.detail, "field": error.field, "row": row.raw}
        self._file.write(json.dumps(kept, default=str) + "\n")
        self.n_rows += 1

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


class _Lines:
    """The lines of a byte stream as text; a byte that is no UTF-8 becomes a lone surrogate, for its row to be refused."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        #: Number of the line given last.
        self.line = 0
        #: What was given since its reader last cleared it.
        self.given: list[str] = []
        #: Whether the line read last was longer than is taken; its end is not given.
        self.cut = False
        #: Why the stream could not be read to its end.
        self.fault: str | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        text = self._waiting.pop() if self._waiting else self._read()
        if not text:
            raise StopIteration
        self.line += 1
        self.given.append(text)
        return text

    def give_back(self, *lines: str) -> None:
        """Have these lines, the last ones given, given again."""
        self._waiting.extend(reversed(lines))
        self.line -= len(lines)

    def _read(self) -> str:
        try:
            line = self._stream.readline(MAX_LINE_BYTES)
            rest = line
            self.cut = False
            while len(rest) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
                rest = self._stream.readline(MAX_LINE_BYTES)
                self.cut = True
        except (EOFError, OSError, zlib.error) as fault:
            self.fault = f"The file cannot be read on after line {self.line}: {fault}."
            return ""
        return line.decode("utf-8", "surrogateescape")


def _jsonl_rows(lines: _Lines) -> Iterator[Row]:
    for text in lines:
        lines.given.clear()
        bare = text.removeprefix("\ufeff").strip() if lines.line == 1 else text.strip()
        if not bare:
            continue
        if lines.line == 1 and bare[0] == "[" and bare[1:].lstrip()[:1] in {"", "{"}:
            raise Invalid("This is one JSON list; write one object a line (jq -c '.[]' does it).")
        if lines.cut:
            yield Row(lines.line, None, Invalid(f"The line is longer than {MAX_LINE_BYTES} bytes."), bare[:1000])
            continue
        yield _jsonl_row(lines.line, bare)


def _jsonl_row(line: int, text: str) -> Row:
    if _not_utf8(text):
        return Row(line, None, Invalid(f"Line {line} is not UTF-8."), _readable(text))
    try:
        item = _decode(text)
    except RecursionError:
        return Row(line, None, Invalid("The row is nested too deeply."), text)
    except ValueError as fault:
        return Row(line, None, Invalid(f"This is not JSON: {fault}."), text)
    if not isinstance(item, dict):
        return Row(line, None, Invalid(f"Expected an object, got {type(item).__name__}."), item)
    return Row(line, item, None, item)


def _decode(text: str) -> Any:
    """NaN and lone surrogates get through here, for the field that holds them to be named later."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return json.loads(text)


def _recognise(path: Path) -> tuple[bool, Format]:
    """Whether the file is gzipped, and its format: by its name, else by how it begins."""
    with path.open("rb") as file:
        head = file.read(4)
    packed = head.startswith(_GZIP)
    if head.startswith(_UTF16):
        raise Invalid("The file is UTF-16; save it as UTF-8.")
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    form = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if head == _PARQUET:
        form = Format.parquet
    elif form is None and head[:1] == b"{":
        form = Format.jsonl
    if form is None:
        raise Invalid(f"{path.name} is none of {', '.join(_SUFFIXES)} (CSV and JSONL also as .gz).")
    return packed, form


def _open_parquet(path: Path) -> _Parquet:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as missing:
        raise ExtraMissing("Parquet needs pyarrow: pip install 'thumbwheel[parquet]'.") from missing
    try:
        file: _Parquet = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as fault:
        raise Invalid(f"{path.name} is not a Parquet file that can be read: {fault}") from fault
    return file


def _not_utf8(text: str) -> bool:
    low, high = _SURROGATES
    return not text.isascii() and any(low <= letter <= high for letter in text)


def _readable(text: str) -> str:
    """Text that any JSON reader takes: a byte that was not UTF-8 is shown as an escape."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") if _not_utf8(text) else text
