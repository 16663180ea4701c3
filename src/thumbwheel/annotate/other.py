"""Where a question was answered twice, the other answer."""

from __future__ import annotations

from collections.abc import Iterable

from thumbwheel.domain.trace import Trace, text_of


def other_answer(trace: Trace, session: Iterable[Trace]) -> Trace | None:
    """The trace of the same session that answers the same input with other words; None when there is none.

    Of several answers the one that came next counts, else the last one before.
    """
    found = [each for each in session if answers_again(trace, each)]
    later = [each for each in found if each.started_at >= trace.started_at]
    return min(later or found, key=lambda each: (abs(each.started_at - trace.started_at), each.id), default=None)


def answers_again(trace: Trace, other: Trace) -> bool:
    """Whether two traces answer the same input with other words.

    An application that regenerates an answer asks the same again, so the inputs are equal to the letter but for white
    space.
    """
    asked, said, answered = _words(text_of(trace.input)), _words(text_of(trace.output)), _words(text_of(other.output))
    different = trace.id != other.id and bool(said and answered) and said != answered
    return different and bool(asked) and asked == _words(text_of(other.input))


def _words(text: str) -> str:
    return " ".join(text.split())
