"""A trace laid out for reading: who said what, what was looked up, and what the user did with the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from markupsafe import Markup

from thumbwheel.domain.signal import Edit, Rating, Signal, SignalKind
from thumbwheel.domain.trace import Document, Json, ToolCall, Trace, text_of
from thumbwheel.web import text, words

#: Turns shown at each end of a long conversation; those between are folded.
_ENDS = 12
#: Documents shown before the fold, and characters of all of them that are formatted.
_DOCUMENTS = 20
_FORMATTED = 60_000
#: Most characters of one document, or of the arguments or the result of a tool call.
_MOST = 20_000
#: Unchanged text kept on either side of a change.
_CONTEXT = 160

#: Other names of the roles we know.
_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "developer": "system"}


@dataclass(frozen=True, slots=True)
class Turn:
    """Something somebody said."""

    #: `system`, `user`, `assistant`, `tool` or `data`.
    role: str
    speaker: str
    body: text.Folded
    #: Characters of the whole text.
    n: int


@dataclass(frozen=True, slots=True)
class ShownDocument:
    """A retrieved document."""

    id: str
    rank: int | None
    score: float | None
    #: The beginning, on one line.
    glimpse: str
    body: Markup | None
    n_cut: int


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A tool call, with JSON as people read it."""

    name: str
    arguments: str
    result: str | None


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a diff: `same`, `out`, `in`, or `gap` for unchanged text that is folded."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something the user said, changed or did."""

    kind: str
    #: `bad`, `good` or nothing: what it looks like, which is no verdict.
    tone: str
    what: str
    #: How long after the answer.
    after: str
    at: datetime
    comment: str | None
    diff: Sequence[Piece] = ()
    #: What kind of change an edit is, when it is no correction.
    note: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """Everything the page shows of one trace."""

    trace: Trace
    system: Sequence[Turn]
    first: Sequence[Turn]
    middle: Sequence[Turn]
    last: Sequence[Turn]
    answer: Turn
    documents: Sequence[ShownDocument]
    more_documents: Sequence[ShownDocument]
    calls: Sequence[ShownCall]
    events: Sequence[Event]
    #: The answer as plain text, and what the user made of it.
    output: str
    edited: str | None


def view(trace: Trace, signals: Sequence[Signal]) -> View:
    """Lay a trace out."""
    turns = list(_turns(trace.input))
    said = [turn for turn in turns if turn.role != "system"]
    long = len(said) > 2 * _ENDS
    shown = list(_documents(trace.documents))
    edits = [signal.edit for signal in signals if signal.edit]
    output = text_of(trace.output)
    return View(
        trace=trace,
        system=[turn for turn in turns if turn.role == "system"],
        first=said[:_ENDS] if long else said,
        middle=said[_ENDS:-_ENDS] if long else (),
        last=said[-_ENDS:] if long else (),
        answer=_answer(trace.output, output),
        documents=shown[:_DOCUMENTS],
        more_documents=shown[_DOCUMENTS:],
        calls=[_call(call) for call in trace.tool_calls],
        events=[_event(signal, trace) for signal in sorted(signals, key=lambda one: one.at)],
        output=output,
        edited=edits[-1].edited if edits else None,
    )


def _turns(value: Json) -> Iterator[Turn]:
    """The input as turns: messages where it holds messages, else one turn of the user's."""
    messages = value.get("messages") if isinstance(value, dict) else value
    if isinstance(messages, list) and messages and all(isinstance(one, dict) and "role" in one for one in messages):
        for message in messages:
            assert isinstance(message, dict)
            yield from _message(message)
        return
    if isinstance(value, str):
        yield _turn("user", "User", value)
    elif value is not None:
        yield _turn("data", "Input", _readable(value))


def _message(message: Mapping[str, Json]) -> Iterator[Turn]:
    role = str(message.get("role") or "data")
    content = message.get("content")
    if content not in (None, "", []):
        known = _ROLES.get(role, role)
        speaker = text.plain(known).replace("_", " ").capitalize()[:40]
        name = message.get("name")
        yield _turn(known, f"{speaker} · {text.plain(str(name))[:60]}" if name else speaker, _said(content))
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        yield _turn("tool", "Tool calls", _readable(calls))


def _said(content: Json) -> str:
    """The text of a message: its parts one below the other, a picture as a mark."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return _readable(content)
    return "\n\n".join(_part(part) for part in content)


def _part(part: Json) -> str:
    if isinstance(part, dict):
        if isinstance(part.get("text"), str):
            return str(part["text"])
        if "image" in str(part.get("type", "")):
            return "[image not loaded]"
    return part if isinstance(part, str) else _readable(part)


def _turn(role: str, speaker: str, said: str) -> Turn:
    known = role if role in {"system", "user", "assistant", "tool"} else "data"
    return Turn(known, speaker, text.folded(said), len(said))


def _answer(value: Json, output: str) -> Turn:
    if value is None or output == "":
        return Turn("assistant", "Assistant", text.Folded(_NO_ANSWER, None), 0)
    return _turn("assistant", "Assistant", output)


def _readable(value: Json) -> str:
    """JSON in a code block of its own."""
    written = json.dumps(value, ensure_ascii=False, indent=2)
    return f"~~~~~~json\n{written}\n~~~~~~"


def _documents(documents: Sequence[Document]) -> Iterator[ShownDocument]:
    left = _FORMATTED
    for document in documents:
        content = document.content or ""
        part = content[:_MOST]
        left -= len(part)
        body = text.markdown(part) if left > 0 else text.raw(part)
        yield ShownDocument(
            id=document.id,
            rank=document.rank,
            score=document.score,
            glimpse=text.plain(words.one_line(content, 120)),
            body=body if part else None,
            n_cut=len(content) - len(part),
        )


def _call(call: ToolCall) -> ShownCall:
    result = None if call.result is None else _value(call.result)
    return ShownCall(text.plain(call.name), _value(call.arguments), result)


def _value(value: Json) -> str:
    if value is None:
        return ""
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    cut = f"\n… {len(written) - _MOST:,} more characters" if len(written) > _MOST else ""
    return text.plain(written[:_MOST]) + cut


# --- signals

_WHAT = {
    SignalKind.implicit_regenerate: ("bad", "Asked for another answer"),
    SignalKind.implicit_clarification: ("bad", "Asked again, more precisely"),
    SignalKind.implicit_abandonment: ("bad", "Left without a further word"),
    SignalKind.implicit_copy: ("good", "Copied the answer"),
    SignalKind.implicit_copy_edit: ("bad", "Copied the answer and changed it"),
    SignalKind.user_edit: ("bad", "Edited the answer"),
}
_NO_ANSWER = Markup('<p class="nothing">No answer was recorded.</p>')
_NOTES = {
    "whitespace": "only spacing changed",
    "citation": "only citations changed",
    "markup": "only formatting changed",
    "none": "nothing changed",
}


def _event(signal: Signal, trace: Trace) -> Event:
    tone, what = _said_or_done(signal)
    edit = signal.edit
    return Event(
        kind=signal.kind.value,
        tone=tone,
        what=what,
        after=_after(signal.at, trace.ended_at or trace.started_at),
        at=signal.at,
        comment=None if signal.comment is None else text.plain(signal.comment[:_MOST]),
        diff=() if edit is None else pieces(edit),
        note=None if edit is None else _NOTES.get(edit.kind.value),
    )


def _said_or_done(signal: Signal) -> tuple[str, str]:
    if signal.kind is SignalKind.user_rating:
        return ("good", "Thumbs up") if signal.rating is Rating.up else ("bad", "Thumbs down")
    if signal.kind is SignalKind.user_reason:
        return "bad", f"Gave the reason “{(signal.reason or '').replace('_', ' ')}”"
    if signal.kind is SignalKind.public_channel:
        return "bad", f"Complained elsewhere ({text.plain(signal.channel or 'unknown channel')}); linked by a person"
    if signal.kind is SignalKind.implicit_dwell:
        return "", f"Stayed on it for {words.duration(signal.seconds or 0)}"
    return _WHAT[signal.kind]


def _after(at: datetime, answered_at: datetime) -> str:
    seconds = (at - answered_at).total_seconds()
    return f"{words.duration(abs(seconds))} {'later' if seconds >= 0 else 'before'}"


def pieces(edit: Edit) -> list[Piece]:
    """An edit as stretches of text, with long unchanged stretches folded."""
    original = edit.original or ""
    if not edit.hunks:
        return [Piece("same", text.plain(edit.edited[:_MOST]))]
    found: list[Piece] = []
    edges = [0, *(at for hunk in edit.hunks for at in (hunk.start, hunk.end)), len(original)]
    same = [original[start:end] for start, end in list(pairwise(edges))[::2]]
    for place, hunk in enumerate(edit.hunks):
        found += _same(same[place], opens=place > 0, closes=True)
        found += [Piece("out", text.plain(hunk.before)), Piece("in", text.plain(hunk.after))]
    found += _same(same[-1], opens=True, closes=False)
    return [piece for piece in found if piece.text]


def _same(unchanged: str, *, opens: bool, closes: bool) -> list[Piece]:
    """Unchanged text between two changes; only what stands next to a change is shown when it is long."""
    head, tail = (_CONTEXT if opens else 0), (_CONTEXT if closes else 0)
    if len(unchanged) <= 2 * _CONTEXT + 80:
        return [Piece("same", text.plain(unchanged))]
    middle = unchanged[head : len(unchanged) - tail]
    return [
        Piece("same", text.plain(unchanged[:head])),
        Piece("gap", text.plain(middle)),
        Piece("same", text.plain(unchanged[len(unchanged) - tail :] if tail else "")),
    ]
