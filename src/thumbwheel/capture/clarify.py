"""Clarifications found in a conversation: a user turn that corrects the answer before it.

Words alone decide, and English ones only: cheap enough for every trace, and wrong often enough that it stays a weak
hint. How often was measured on real dialogues and is written in docs/capture.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from rapidfuzz import fuzz

from thumbwheel.capture.messages import conversation, plain_text
from thumbwheel.domain.trace import Json, Trace, text_of

#: More of a turn than this is pasted text; who corrects says so at once.
_LOOKED_AT: Final = 400

#: Likeness (0 to 100) from which a turn says an earlier one again.
_AGAIN: Final = 88
#: Fewer words said twice are small talk ("yes please").
_WORDS_AGAIN: Final = 5
#: Nobody reads an answer and asks again sooner.
_READING: Final = timedelta(seconds=2)
#: What a field that holds the user's words is called.
_ASKED: Final = ("question", "query", "prompt", "message", "user_message", "user_input", "input", "text")


class Cue(StrEnum):
    """What gave a correction away."""

    #: "That's not what I asked."
    meant = "meant"
    #: "I already told you", "as I said".
    said = "said"
    #: "You misunderstood", "that is wrong".
    wrong = "wrong"
    #: The same question once more.
    again = "again"


class Clarification(NamedTuple):
    """A user turn that corrects, by its place in the conversation."""

    turn: int
    #: Place of the answer it corrects.
    answer: int
    cue: Cue


_CUES: Final = {
    Cue.meant: re.compile(
        r"\bnot what i (?:was )?(?:ask|mean|meant|said|want|need|request)"
        r"|\bi(?:'m| am| was) (?:not|n't) asking\b|\bi wasn't asking\b"
        r"|\bi did(?:n't| not) (?:ask|say|mean|request) "
        r"|\bwhat i (?:meant|actually (?:meant|asked|want|need))\b"
        r"|^(?:no|sorry|well|actually)\W+(?:no\W+)?i meant?\b"
        r"|\bi meant (?:to (?:say|ask)|that|the|for|how|what|when|where|which|why|if|whether)\b"
        r"|\bmy (?:actual |real |original )?question (?:is|was)\b"
        r"|\bi (?:was )?ask(?:ed|ing) (?:you )?(?:for|about|if|how|what|when|where|which|why|whether)\b"
    ),
    Cue.said: re.compile(
        r"\b(?:as|like) i (?:just |already |previously )?(?:said|mentioned|told|explained|stated)\b"
        r"|\bi(?:'ve| have)? (?:already|just) (?:said|told|gave|given|asked|mentioned|provided|explained|answered)\b"
        r"|\bi (?:was (?:just )?saying|said)\b"
    ),
    Cue.wrong: re.compile(
        r"\byou(?:'ve| have)? (?:misunderst|misread|got (?:it|that|this|me) wrong|missed (?:my|the) (?:point|question))"
        r"|\byou (?:did(?:n't| not)|haven't|have not) (?:answer|understand|understood|read|listen)"
        r"|\byou(?:'re| are| were) (?:wrong|mistaken|not (?:answering|listening|understanding))\b"
        r"|\b(?:that|this|it)(?:'s| is| was) (?:wrong|incorrect|not (?:right|correct|true|quite right|what happened))\b"
        r"|\bthe other way(?: a?round)?[.!]"
        r"|\b(?:that|this|it) does(?:n't| not) (?:answer|help|address|make sense)\b"
        r"|\bthere (?:seems to be|must be|is) (?:a |some )?(?:mistake|misunderstanding|confusion|error)\b"
    ),
}
#: Of these, one stands in every text the cue's pattern finds: looked for first, since every trace is read.
_STEMS: Final = {
    Cue.meant: ("what i", "ask", "i did", "i mean", "question"),
    Cue.said: "said mention told explain stated gave given asked provided answered saying".split(),
    Cue.wrong: (
        *"misunderst misread wrong mistak missed incorrect does confusion error".split(),
        *("other way", "you did", "you have", "'ve ", "not "),
    ),
}
_QUOTES: Final = str.maketrans({"’": "'", "‘": "'"})
_WORD: Final = re.compile(r"\w+")


def cue_of(turn: str, earlier: Sequence[str] = ()) -> Cue | None:
    """What says that a user turn corrects the answer before it; None when nothing does.

    `earlier` are the user's turns before that answer: saying one of them
    again is a correction without words for it.

    >>> cue_of("No, I meant the return fee.")
    <Cue.meant: 'meant'>
    >>> cue_of("No, that's all. Thanks!") is None
    True
    """
    text = turn[:_LOOKED_AT].translate(_QUOTES).lower().strip()
    for cue, pattern in _CUES.items():
        if any(stem in text for stem in _STEMS[cue]) and pattern.search(text):
            return cue
    words = _WORD.findall(text)
    if len(words) >= _WORDS_AGAIN and any(_is_again(words, each) for each in earlier[-3:]):
        return Cue.again
    return None


def clarifications(turns: Sequence[tuple[str, str]]) -> Iterator[Clarification]:
    """The corrections in a conversation of (role, text), each with the answer it is about."""
    said: list[str] = []
    answer: int | None = None
    for place, (role, text) in enumerate(turns):
        if role == "assistant" and text.strip():
            answer = place
        elif role == "user":
            cue = None if answer is None else cue_of(text, said)
            if cue is not None and answer is not None:
                yield Clarification(place, answer, cue)
            said.append(text)
            answer = None


def _is_again(words: Sequence[str], earlier: str) -> bool:
    before = _WORD.findall(earlier[:_LOOKED_AT].translate(_QUOTES).lower())
    return len(before) >= _WORDS_AGAIN and fuzz.ratio(words, before) >= _AGAIN


def user_turn(said: Json) -> tuple[str | None, list[str]]:
    """What the user said last in the input of a trace, and what before that in the same input.

    None where the input does not end with the user's words: a step after a
    tool's answer is not a turn.

    >>> user_turn(
    ...     [
    ...         {"role": "user", "content": "Hi"},
    ...         {"role": "assistant", "content": "Yes?"},
    ...         {"role": "user", "content": "What?"},
    ...     ]
    ... )
    ('What?', ['Hi'])
    >>> user_turn({"question": "What does it cost?"})
    ('What does it cost?', [])
    """
    messages = conversation(said)
    if messages is None:
        found = said if isinstance(said, str) else _only_text(said)
        return found, []
    turns = [plain_text(each.get("content")) or "" for each in messages if each.get("role") == "user"]
    is_users = bool(messages) and messages[-1].get("role") == "user"
    return (turns[-1], turns[:-1]) if is_users and turns else (None, [])


def _only_text(said: Json) -> str | None:
    values = [said[name] for name in _ASKED if name in said] if isinstance(said, dict) else []
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def may_correct(later: Trace) -> bool:
    """Whether a trace's user may correct the answer before it, by what its own input says: what is cheap to know."""
    turn, earlier = user_turn(later.input)
    if turn is None:
        return False
    return cue_of(turn, earlier) is not None or (not earlier and len(_WORD.findall(turn[:_LOOKED_AT])) >= _WORDS_AGAIN)


def correction(later: Trace, before: Trace) -> Cue | None:
    """What says that a trace's user corrects the answer of the trace before it in the session.

    Who corrects has read: nothing corrects an answer that was not there, and
    what is asked again at once is asked by a program. Long inputs that are no
    messages and begin alike are one template with two fillings.
    """
    turn, earlier = user_turn(later.input)
    if turn is None or not text_of(before.output).strip():
        return None
    pause = later.started_at - (before.ended_at or before.started_at)
    if pause < timedelta(0):
        return None
    last, further = user_turn(before.input)
    cue = cue_of(turn, earlier or [*further, *([last] if last else [])])
    is_template = len(turn) > _LOOKED_AT and conversation(later.input) is None
    return None if cue is Cue.again and (pause < _READING or is_template) else cue
