"""The words that tell a group of notes from the others."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

#: Words of a name.
WORDS = 3

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
#: English words that tell no note from another; other languages are told apart by how common their words are.
_COMMON = frozenset(
    """a about after all also although an and any are as at be because been before being but by can can't cannot could
    did didn't do does doesn't doing don't down each even every few for from further get gets had has have having he
    her here his how i if in instead into is isn't it it's its itself just me more most my no none nor not nothing now
    of off on once one only onto or other our out over own rather same she should so some such than that that's the
    their them then there these they this those through to too under until up us very was wasn't way we were what when
    where which while who whom whose why will with won't would you your
    answer answers answered reply response says say said user customer it’s that’s doesn’t don’t can’t isn’t won’t""".split()
)


def words_of(text: str) -> list[str]:
    """The words of a note that may say something, in its order.

    >>> words_of("It says 60 days, the policy says 30!")
    ['60', 'days', 'policy', '30']
    """
    return [word for word in _WORD.findall(text.lower()) if len(word) > 1 and word not in _COMMON]


def characteristic(group: Sequence[str], everything: Sequence[str], n: int = WORDS) -> list[str]:
    """The words that most of a group's notes hold and few others, best first.

    A word's score is its share of the group's notes times ln(1 + N / df), N notes in all of which df hold it.
    Equal scores keep the order in which the words were written.
    """
    held = Counter(word for text in everything for word in set(words_of(text)))
    here = Counter(word for text in group for word in dict.fromkeys(words_of(text)))
    score = {word: times / len(group) * math.log(1 + len(everything) / held[word]) for word, times in here.items()}
    shared = [word for word in here if here[word] > 1] or list(here)
    return sorted(shared, key=lambda word: -score[word])[:n]


def name_of(group: Sequence[str], everything: Sequence[str]) -> str:
    """A name for a group, to be replaced by a person: its characteristic words, as far as a name may be long.

    >>> name_of(["dead link", "the link is dead"], ["dead link", "the link is dead", "rude"])
    'Dead, link'
    """
    words = [word[:30] for word in characteristic(group, everything)]
    name = ", ".join(words)
    return name[:1].upper() + name[1:]
