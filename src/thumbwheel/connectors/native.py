"""The native JSON of traces and signals, to domain values: each fault names its field, and costs only its own item."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from thumbwheel.domain.instant import can_have_been, utc
from thumbwheel.domain.signal import Edit, EditKind, Rating, Right, Signal, SignalKind
from thumbwheel.domain.trace import Document, JudgeScore, ToolCall, Trace
from thumbwheel.errors import Invalid, TraceRequired

#: Deeper nesting than this is not data anybody means.
MAX_DEPTH = 64
_SURROGATE = re.compile("[\ud800-\udfff]")
_MESSAGE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", re.DOTALL)

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
_Name = Annotated[str, msgspec.Meta(max_length=512)]
_Wire = TypeVar("_Wire")
_Value = TypeVar("_Value", Trace, Signal)


class _DocumentIn(msgspec.Struct):
    id: _Id
    content: str | None = None
    score: float | None = None
    rank: Annotated[int, msgspec.Meta(ge=1)] | None = None


class _ToolCallIn(msgspec.Struct):
    name: _Name
    arguments: Any = None
    result: Any = None


class _JudgeIn(msgspec.Struct):
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]
    name: _Name | None = None


class _TraceIn(msgspec.Struct):
    id: _Id
    started_at: str
    ended_at: str | None = None
    name: _Name | None = None
    category: _Name | None = None
    user_id: _Name | None = None
    session_id: _Name | None = None
    model: _Name | None = None
    prompt_version: _Name | None = None
    release: _Name | None = None
    tags: list[_Name] | None = None
    input: Any = None
    output: Any = None
    documents: list[_DocumentIn] | None = None
    tool_calls: list[_ToolCallIn] | None = None
    judge: _JudgeIn | None = None
    metadata: dict[str, Any] | None = None


class _SignalIn(msgspec.Struct):
    trace_id: _Id
    kind: SignalKind
    id: _Id | None = None
    at: str | None = None
    user_id: _Name | None = None
    comment: str | None = None
    consent: dict[str, Any] | None = None
    value: Rating | None = None
    reason: _Name | None = None
    edited: str | None = None
    original: str | None = None
    rights: list[Right] | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None


@dataclass(frozen=True, slots=True)
class Arrived(Generic[_Value]):
    """A decoded value and the hash of what the client sent for it."""

    value: _Value
    content_hash: int


def parse(body: bytes) -> Any:
    """The JSON in `body`; NaN and lone surrogates get through, for the item that holds them to be refused.

    Raises:
        Invalid: this is not JSON, or it is nested deeper than 64 levels.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(body)
    except RecursionError as fault:
        raise Invalid(f"The body is nested deeper than {MAX_DEPTH} levels.") from fault
    except ValueError as fault:
        raise Invalid(f"The body is not JSON: {fault}.") from fault


def trace(item: object, now: datetime) -> Arrived[Trace]:
    """One trace.

    Raises:
        Invalid: a field is missing or has a value that cannot be; it names the field.
    """
    wire = _convert(item, _TraceIn)
    started_at = _time(wire.started_at, "started_at", now)
    ended_at = None if wire.ended_at is None else _time(wire.ended_at, "ended_at", now)
    if ended_at is not None and ended_at < started_at:
        raise Invalid("A trace ends after it starts.", field="ended_at")
    value = Trace(
        id=wire.id,
        started_at=started_at,
        ended_at=ended_at,
        name=wire.name,
        category=wire.category or None,
        user_id=wire.user_id,
        session_id=wire.session_id,
        model=wire.model,
        prompt_version=wire.prompt_version,
        release=wire.release,
        tags=tuple(dict.fromkeys(wire.tags or ())),
        input=wire.input,
        output=wire.output,
        documents=tuple(
            Document(id=document.id, content=document.content, score=document.score, rank=document.rank or place)
            for place, document in enumerate(wire.documents or (), 1)
        ),
        tool_calls=tuple(
            ToolCall(name=call.name, arguments=call.arguments, result=call.result) for call in wire.tool_calls or ()
        ),
        judge=None if wire.judge is None else JudgeScore(score=wire.judge.score, name=wire.judge.name),
        metadata=wire.metadata or {},
    )
    return Arrived(value, content_hash(item))


def signal(item: object, now: datetime, fresh_id: str, channel: str | None = None) -> Arrived[Signal]:
    """One signal, come by this channel; `fresh_id` becomes its id when the client gave none.

    Raises:
        TraceRequired: it names no trace.
        Invalid: a field is missing or has a value that cannot be; it names the field.
    """
    if isinstance(item, dict) and not item.get("trace_id"):
        raise TraceRequired(field="trace_id")
    wire = _convert(item, _SignalIn)
    _check_own_field(wire)
    value = Signal(
        id=wire.id or fresh_id,
        trace_id=wire.trace_id,
        kind=wire.kind,
        at=now if wire.at is None else _time(wire.at, "at", now),
        user_id=wire.user_id,
        comment=wire.comment,
        rating=wire.value if wire.kind is SignalKind.user_rating else None,
        reason=wire.reason if wire.kind is SignalKind.user_reason else None,
        edit=_edit(wire),
        seconds=wire.seconds if wire.kind is SignalKind.implicit_dwell else None,
        consent=wire.consent,
        rights=frozenset(wire.rights or ()),
        channel=channel,
    )
    return Arrived(value, content_hash(item))


def id_of(item: object) -> str:
    """An id for a signal of a file, the same whenever the file is read: importing twice keeps it once."""
    return f"row-{content_hash(item):016x}"


_OWN_FIELD = {
    SignalKind.user_rating: "value",
    SignalKind.user_reason: "reason",
    SignalKind.user_edit: "edited",
    SignalKind.implicit_dwell: "seconds",
}

#: What a field may say, where that is a list; `public_channel` is not sent but attached.
_CHOICES: Mapping[str, Collection[str]] = {
    "kind": set(SignalKind) - {SignalKind.public_channel},
    "value": set(Rating),
    "rights": set(Right),
}
_NO_CHOICE = "Invalid enum value "


def _check_own_field(wire: _SignalIn) -> None:
    if wire.kind is SignalKind.public_channel:
        raise Invalid("A public_channel signal is attached by a person: POST /v1/relink.", field="kind")
    own = _OWN_FIELD.get(wire.kind)
    if own is not None and getattr(wire, own) is None:
        raise Invalid(f"A signal of the kind {wire.kind} needs the field {own!r}.", field=own)


def _edit(wire: _SignalIn) -> Edit | None:
    edits = wire.kind in {SignalKind.user_edit, SignalKind.implicit_copy_edit}
    if not edits or wire.edited is None:
        return None
    return Edit(original=wire.original, edited=wire.edited, hunks=(), kind=EditKind.none)


def content_hash(item: object) -> int:
    """63-bit hash of what a client sent, the same whatever the order of its keys."""
    encoded = msgspec.json.encode(item, order="sorted")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest()) >> 1


def _convert(item: object, wire: type[_Wire]) -> _Wire:
    if not isinstance(item, Mapping):
        raise Invalid(f"Expected an object, got {type(item).__name__}.")
    check_clean(item)
    try:
        return msgspec.convert(item, wire)
    except msgspec.ValidationError as fault:
        raise _refusal(str(fault)) from fault


def _refusal(message: str) -> Invalid:
    found = _MESSAGE.match(message)
    what = found["what"] if found else message
    path = (found["path"] or None) if found else None
    missing = re.search(r"missing required field `(\w+)`", what)
    if missing:
        path = f"{path}.{missing[1]}" if path else missing[1]
    choices = _CHOICES.get(re.split(r"[.\[]", path or "", maxsplit=1)[0])
    if choices and what.startswith(_NO_CHOICE):
        what = f"{what.removeprefix(_NO_CHOICE)} is none of {', '.join(sorted(choices))}."
    return Invalid(what, field=path)


def check_clean(item: object) -> None:
    """Refuse what no store and no JSON can hold: NaN, infinities, lone surrogates, bottomless nesting.

    Raises:
        Invalid: `item` holds such a thing; it names where.
    """
    stack: list[tuple[object, str, int]] = [(item, "", 0)]
    while stack:
        value, path, depth = stack.pop()
        if isinstance(value, str):
            _check_text(value, path)
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise Invalid("A number must be finite.", field=path)
        elif isinstance(value, dict | list):
            if depth >= MAX_DEPTH:
                raise Invalid(f"Nested deeper than {MAX_DEPTH} levels.", field=re.split(r"[.\[]", path, maxsplit=1)[0])
            stack.extend(_children(value, path, depth + 1))


def _children(value: dict[Any, Any] | list[Any], path: str, depth: int) -> list[tuple[object, str, int]]:
    if isinstance(value, list):
        return [(child, f"{path}[{place}]", depth) for place, child in enumerate(value)]
    for key in value:
        _check_text(key, path)
    return [(child, f"{path}.{key}" if path else key, depth) for key, child in value.items()]


#: Kept in columns of their own, where PostgreSQL takes no NUL.
_COLUMNS = frozenset(
    "id trace_id name category user_id session_id model prompt_version release reason judge.name".split()
)


def _check_text(value: str, path: str) -> None:
    if not value.isascii() and _SURROGATE.search(value):
        raise Invalid("Text holds half of a surrogate pair, which is no character.", field=path or None)
    if "\0" in value and (path in _COLUMNS or path.startswith("tags[")):
        raise Invalid("A name holds no NUL character.", field=path)


def _time(text: str, name: str, now: datetime) -> datetime:
    try:
        at = utc(datetime.fromisoformat(text))
    except ValueError as fault:
        raise Invalid(f"{text!r} is not an ISO 8601 time.", field=name) from fault
    if not can_have_been(at, now):
        raise Invalid(f"{text} is not a time when this can have happened: before 2000 or in the future.", field=name)
    return at
