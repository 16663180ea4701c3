"""What the values of somebody's feedback column stand for: a thumb up, a thumb down, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from thumbwheel.errors import Invalid

UP: Final = "up"
DOWN: Final = "down"
#: Said of a value that is neither: three stars of five, a vote taken back.
SKIP: Final = "skip"

_UP_WORDS: Final = frozenset(
    "up 1 1.0 +1 true t yes y like liked positive good great helpful thumbs_up thumbsup thumb_up thumbup upvote 👍 😀 😊 ❤️".split()
)
_DOWN_WORDS: Final = frozenset(
    "down 0 0.0 -1 -1.0 false f no n dislike disliked negative bad poor unhelpful not_helpful thumbs_down thumbsdown "
    "thumb_down thumbdown downvote 👎 😞 😡".split()
)
_NEITHER: Final = frozenset("none null neutral n/a na unrated unset no_vote".split())
#: Numbers that are a vote by themselves.
_THUMBS: Final = ({0.0, 1.0}, {-1.0, 1.0})
#: More different texts than this are prose, not votes.
_MOST_WORDS: Final = 20


@dataclass(frozen=True, slots=True)
class Votes:
    """A guess at what values stand for."""

    #: Value, or `LOW..HIGH` for numbers from one to the other, both included -> up, down or skip.
    meaning: Mapping[str, str]
    why: str
    sure: bool


def word(cell: Any) -> str:
    """A cell as it is compared: small letters, blanks and dashes as `_`.

    >>> word(" Thumbs Up"), word(True), word(5.0), word("-1")
    ('thumbs_up', 'true', '5', '-1')
    """
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip().lower()
    return text if text[:1] == "-" and _number(text) is not None else text.replace(" ", "_").replace("-", "_")


def vote_of(cell: Any) -> str | None:
    """Up or down where a word says so by itself."""
    said = word(cell)
    return UP if said in _UP_WORDS else DOWN if said in _DOWN_WORDS else None


def guess_votes(cells: Iterable[Any], *, may_be_stars: bool) -> Votes | None:
    """What these values stand for; None when they are no votes at all.

    `may_be_stars`: nothing but ones may be the worst of a scale instead of a thumb.
    """
    words = list(dict.fromkeys(word(cell) for cell in cells))
    numbers = [_number(text) for text in words]
    if not words or (len(words) > _MOST_WORDS and None in numbers):
        return None
    if None not in numbers:
        return _from_numbers([number for number in numbers if number is not None], may_be_stars=may_be_stars)
    meaning = {text: vote_of(text) or (SKIP if text in _NEITHER else "") for text in words}
    unknown = [text for text, vote in meaning.items() if not vote]
    if len(unknown) == len(words):
        return None
    if unknown:
        # They are refused by row: nothing is taken for what it may not be.
        known = {text: vote for text, vote in meaning.items() if vote}
        return Votes(known, f"the words say it, save {', '.join(unknown[:5])}", sure=True)
    return Votes(meaning, "the words say it", sure=True)


def _from_numbers(numbers: Sequence[float], *, may_be_stars: bool) -> Votes | None:
    found, top = set(numbers), max(numbers)
    if any(found <= thumbs for thumbs in _THUMBS):
        alone = found == {1.0} and may_be_stars
        meaning = {_written(each): DOWN if each <= 0 else UP for each in sorted(found)}
        return Votes(meaning, "one star, or a thumb up?" if alone else "a thumb as a number", sure=not alone)
    if found <= {-1.0, 0.0, 1.0}:
        return Votes({"-1": DOWN, "0": SKIP, "1": UP}, "0 between -1 and 1 is no vote", sure=False)
    whole = all(each.is_integer() for each in found)
    for low, high, name in ((1, 5, "stars of five"), (0, 10, "a scale to ten"), (0, 100, "a scale to a hundred")):
        if whole and min(found) >= low and top <= high:
            return Votes(_scale(low, high), name, sure=False)
    if min(found) >= 0 and top <= 1:
        return Votes({"0..0.5": DOWN, "0.5..1": UP}, "a share of one", sure=False)
    return None


def _scale(low: int, high: int) -> dict[str, str]:
    """The lower two fifths are down, the upper two up, what lies between is nothing."""
    lower, upper = low + (high - low) * 2 // 5, high - (high - low) * 2 // 5
    if (low, high) == (1, 5):
        lower, upper = 2, 4
    return {f"{low}..{lower}": DOWN, f"{lower + 1}..{upper - 1}": SKIP, f"{upper}..{high}": UP}


def read_vote(cell: Any, meaning: Mapping[str, str]) -> str:
    """Up, down or skip.

    Raises:
        Invalid: nobody said what this value stands for.
    """
    said = word(cell)
    if said in meaning:
        return meaning[said]
    number = _number(said)
    ranges = {key: vote for key, vote in meaning.items() if ".." in key}
    for key, vote in ranges.items():
        low, high = (float(end) for end in key.split("..", 1))
        if number is not None and low <= number <= high:
            return vote
    vote_by_word = None if ranges else vote_of(said)
    if vote_by_word is None:
        raise Invalid(f"Nobody said what {str(cell)[:40]!r} stands for: --value '{str(cell)[:40]}=up', down or skip.")
    return vote_by_word


def read_meaning(given: Iterable[str]) -> dict[str, str]:
    """From `VALUE=up|down|skip`.

    Raises:
        Invalid: one of them is not of this form.
    """
    meaning: dict[str, str] = {}
    for each in given:
        value, separator, vote = each.rpartition("=")
        if not separator or vote.strip() not in {UP, DOWN, SKIP} or not _is_range(value):
            raise Invalid(f"{each!r} is not VALUE=up, VALUE=down or VALUE=skip; VALUE may be a range like 1..2.")
        meaning[word(value)] = vote.strip()
    return meaning


def _is_range(value: str) -> bool:
    return ".." not in value or all(_number(end) is not None for end in value.split("..", 1))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None


def _written(number: float) -> str:
    return str(int(number)) if number.is_integer() else str(number)
