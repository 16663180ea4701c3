"""Preference pairs: a better and a worse answer to the same input, for those who train models."""

from __future__ import annotations

from datetime import datetime

from thumbwheel.close.golden import provenance
from thumbwheel.close.text import is_message, plain
from thumbwheel.domain.annotation import Better, Label, Verdict
from thumbwheel.domain.artifact import PreferencePair
from thumbwheel.domain.queue import QueueEntry
from thumbwheel.domain.signal import Right
from thumbwheel.domain.trace import Json, Trace, text_of
from thumbwheel.errors import Invalid

#: How other tools call the roles of a conversation.
_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "developer": "system", "function": "tool"}
_KNOWN_ROLES = ("system", "user", "assistant", "tool")


def makes_pair(label: Label, trace: Trace) -> bool:
    """Whether a label holds a better answer than the one that failed.

    Both must not be blank, and differ by more than white space.
    """
    chosen, rejected = plain(label.corrected_output or ""), plain(text_of(trace.output))
    return label.verdict is Verdict.failed and bool(chosen and rejected) and chosen != rejected


def make_pair(
    label: Label, entry: QueueEntry, trace: Trace, *, rights: frozenset[Right], new_id: str, now: datetime
) -> PreferencePair:
    """The corrected answer as `chosen`, the failed one as `rejected`, with the rights of the corrected one.

    Raises `Invalid` when the label makes no pair, when the parts do not belong
    together, or when `rights` lack training.
    """
    if label.corrected_output is None or not makes_pair(label, trace):
        raise Invalid("a pair needs a failure with another, corrected answer", field="corrected_output")
    if Right.train not in rights:
        raise Invalid("these words may not be used for training", field="rights")
    return PreferencePair(
        id=new_id,
        input=trace.input,
        chosen=label.corrected_output,
        rejected=text_of(trace.output),
        rights=tuple(right for right in Right if right in rights),
        provenance=provenance(label, entry, trace),
        created_at=now,
    )


def compares(label: Label, trace: Trace, other: Trace | None) -> bool:
    """Whether a label says which of two answers, neither of them blank nor the other one, is better."""
    if label.comparison is None or label.comparison.better is Better.equal or other is None:
        return False
    mine, theirs = plain(text_of(trace.output)), plain(text_of(other.output))
    return bool(mine and theirs) and mine != theirs


def make_compared(
    label: Label, entry: QueueEntry, trace: Trace, other: Trace, *, new_id: str, now: datetime
) -> PreferencePair:
    """The better of two answers that the application gave as `chosen`, the other as `rejected`.

    Both are the application's own words, so no right is missing.

    Raises `Invalid` when the label says nothing of the two, or the parts do not belong together.
    """
    compared = label.comparison
    if compared is None or not compares(label, trace, other) or compared.other_trace_id != other.id:
        raise Invalid("a pair needs two answers, one of them said to be better", field="comparison")
    better, worse = (trace, other) if compared.better is Better.this else (other, trace)
    return PreferencePair(
        id=new_id,
        input=trace.input,
        chosen=text_of(better.output),
        rejected=text_of(worse.output),
        rights=tuple(Right),
        provenance=provenance(label, entry, trace),
        created_at=now,
        other_trace_id=other.id,
    )


def to_trl(pair: PreferencePair) -> dict[str, list[dict[str, str]]]:
    """The pair in TRL's conversational preference format with an explicit prompt:
    `{"prompt": [messages], "chosen": [one message], "rejected": [one message]}`
    (huggingface.co/docs/trl/dataset_formats).

    Messages keep role and text; an input that is not a conversation is one user
    message. What the assistant said last is left off the prompt: applications
    that log the whole conversation as input repeat the failed answer there.
    """
    prompt = _messages(pair.input)
    while len(prompt) > 1 and prompt[-1]["role"] == "assistant":
        prompt.pop()
    return {"prompt": prompt, "chosen": _assistant(pair.chosen), "rejected": _assistant(pair.rejected)}


def _assistant(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _messages(value: Json) -> list[dict[str, str]]:
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        value = value["messages"]
    items = value if isinstance(value, list) else [value]
    if not items or not all(is_message(item) for item in items):
        return [{"role": "user", "content": text_of(value)}]
    return [_message(item) for item in items if isinstance(item, dict)]


def _message(message: dict[str, Json]) -> dict[str, str]:
    role = str(message["role"]).lower()
    role = _ROLES.get(role, role)
    return {"role": role if role in _KNOWN_ROLES else "user", "content": text_of(message.get("content"))}
