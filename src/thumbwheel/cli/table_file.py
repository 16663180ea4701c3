"""A small table of figures given to a command: CSV from a file, or from standard input."""

from __future__ import annotations


def read_table(file: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV file with a heading; `-` is standard input.

    Raises:
        Invalid: the file cannot be read, is no UTF-8 text, or lacks one of the columns.
    """
    import csv
    import sys
    from pathlib import Path

    from thumbwheel.errors import Invalid

    try:
        text = (sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")).removeprefix("\ufeff")
    except OSError as fault:
        raise Invalid(f"Cannot read {file}: {fault.strerror}.", field="from") from fault
    except UnicodeDecodeError as fault:
        raise Invalid(f"{'Standard input' if file == '-' else file} is not UTF-8 text.", field="from") from fault
    reader = csv.DictReader(text.splitlines())
    reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
    missing = [name for name in columns if name not in reader.fieldnames]
    if missing:
        raise Invalid(f"The file has no column {', '.join(missing)}.", field=missing[0])
    return list(reader)
