"""Notes somebody took elsewhere: a line of JSON each."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from thumbwheel.domain.note import Note
from thumbwheel.errors import Invalid


def parse(text: str) -> list[Note]:
    """The notes of a JSONL text, in its order: `{"note", "id"?, "trace_id"?, "annotator"?}`. Empty notes are left away.

    Raises:
        Invalid: a line is not such an object, or an id is there twice; with the line's number.
    """
    notes: dict[str, Note] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            row = _row(line, number)
            note = _note(row, str(row.get("id", number)))
            if note.id in notes:
                raise Invalid(f"Line {number}: id {note.id[:64]!a} is there twice.", field="from")
            if note.text:
                notes[note.id] = note
    return list(notes.values())


def _row(line: str, number: int) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError as fault:
        raise Invalid(f"Line {number} is not JSON.", field="from") from fault
    if not isinstance(row, dict) or not isinstance(row.get("note"), str):
        raise Invalid(f'Line {number} is not an object with a text "note".', field="from")
    return row


def _note(row: dict[str, object], id: str) -> Note:
    return Note(
        id=id,
        trace_id=str(row.get("trace_id", "")),
        annotator=str(row.get("annotator", "")),
        text=str(row["note"]).strip(),
        at=datetime.fromtimestamp(0, UTC),
    )
