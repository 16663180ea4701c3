"""The category of a trace that no client and no rule gave one: the cluster of requests that its own is most like.

A clustering is learnt now and then from many requests and then left alone: a list of words with their rarity, and for
each cluster the words that make it up. Telling the cluster of one request takes a fraction of a millisecond and looks
at nothing else, so it happens when the trace comes. When a clustering is learnt anew, a cluster that is still there
keeps its name (see `thumbwheel.connectors.clusters`).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from thumbwheel.domain.trace import Trace, text_of
from thumbwheel.errors import Conflict, Invalid
from thumbwheel.ports import Clustered

#: Characters of a request that are read, from its start.
READ: Final = 4_000
#: Longest name, in characters.
LONGEST: Final = 100
#: Of the requests a clustering was learnt from, the twentieth that is least like its cluster sets the measure: a request
#: less than half as like any cluster belongs to none, and in any case one whose likeness (cosine) is under 0.05.
_OUTSIDE, _HALF, _LEAST = 0.05, 0.5, 0.05
#: What scrubbing left is no word of the user's.
_PLACEHOLDER: Final = re.compile(r"<[A-Z_]+_\d+>")
_WORD: Final = re.compile(r"[^\W\d_]{2,40}")
#: Writing without spaces between words is read two characters at a time.
_UNSPACED: Final = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]{2,}")


def words_of(text: str) -> list[str]:
    """The words of a request as a clustering knows them.

    >>> words_of("Where's my invoice <EMAIL_1>? 请退款")
    ['where', 'my', 'invoice', '请退', '退款']
    """
    found: list[str] = []
    for word in _WORD.findall(_PLACEHOLDER.sub(" ", text[:READ]).casefold()):
        if _UNSPACED.search(word):
            found += [word[at : at + 2] for at in range(len(word) - 1)]
        else:
            found.append(word)
    return found


def asked_of(trace: Trace) -> str:
    """What a clustering reads of a trace: its request, of a conversation the last message."""
    return text_of(trace.input)[:READ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Requests that are alike."""

    #: The category its traces get.
    name: str
    #: Share of the requests it was learnt from.
    share: float
    #: Word -> weight, the heaviest first; the squares sum to 1.
    words: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustering:
    """One version of the clusters. Learning anew makes another; an old one is never changed."""

    version: int
    note: str
    #: Requests it was learnt from.
    n: int
    #: Similarity under which a request belongs to none.
    least: float
    #: Word -> how rare it is; a word that is not here is as rare as the rarest.
    rarity: Mapping[str, float]
    clusters: tuple[Cluster, ...]
    #: Names that stood for other clusters before: none of them is given again.
    spent: tuple[str, ...] = ()
    _in: dict[str, list[tuple[int, float]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        held: dict[str, list[tuple[int, float]]] = {}
        for at, cluster in enumerate(self.clusters):
            for word, weight in cluster.words.items():
                held.setdefault(word, []).append((at, weight))
        object.__setattr__(self, "_in", held)

    @property
    def names(self) -> list[str]:
        """Names of its clusters, the largest first."""
        return [cluster.name for cluster in self.clusters]

    def nearest(self, text: str) -> tuple[str | None, float]:
        """The cluster a request is most like and the cosine of the two, in [0, 1]; None where that is too little."""
        if not self.clusters:
            return None, 0.0
        weights = weigh(words_of(text), self.rarity)
        length = math.sqrt(math.fsum(weight * weight for weight in weights.values()))
        if not length:
            return None, 0.0
        alike = [0.0] * len(self.clusters)
        for word, weight in weights.items():
            for at, held in self._in.get(word, ()):
                alike[at] += weight * held / length
        best = max(range(len(alike)), key=alike.__getitem__)
        return (self.clusters[best].name if alike[best] >= self.least else None), alike[best]

    def renamed(self, old: str, new: str) -> Clustering:
        """The next version, with another name for one cluster.

        Raises:
            Invalid: there is no such cluster, or the new name is none.
            Conflict: the new name stands, or stood, for another cluster.
        """
        if old not in self.names:
            raise Invalid(
                f"There is no cluster {old!r}; the clusters are {', '.join(self.names) or 'none'}.", field="old"
            )
        if not new.strip() or len(new) > LONGEST:
            raise Invalid(f"A name has between 1 and {LONGEST} characters.", field="new")
        if new in {*self.names, *self.spent}:
            raise Conflict(f"{new!r} is the name of another cluster, now or before.")
        named = tuple(replace(each, name=new) if each.name == old else each for each in self.clusters)
        note = f"{old} is now called {new}."
        return replace(self, version=self.version + 1, note=note, clusters=named, spent=(*self.spent, old))

    def cleared(self) -> Clustering:
        """The next version, without clusters."""
        spent = tuple(dict.fromkeys([*self.spent, *self.names]))
        return replace(NONE, version=self.version + 1, note="Clusters were given up.", spent=spent)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "version": self.version,
            "note": self.note,
            "n": self.n,
            "least": self.least,
            "rarity": dict(self.rarity),
            "clusters": [{"name": one.name, "share": one.share, "words": dict(one.words)} for one in self.clusters],
            "spent": list(self.spent),
        }

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> Clustering:
        """Back from `to_json`."""
        return cls(
            version=stored["version"],
            note=stored["note"],
            n=stored["n"],
            least=stored["least"],
            rarity=stored["rarity"],
            clusters=tuple(Cluster(**each) for each in stored["clusters"]),
            spent=tuple(stored["spent"]),
        )


#: Before anything is learnt, and after clusters were given up.
NONE: Final = Clustering(version=0, note="No clusters yet.", n=0, least=1.0, rarity={}, clusters=())


def learnt(found: Clustered, texts: Sequence[str], before: Clustering) -> Clustering:
    """The version after `before`, from requests that were grouped."""
    kept = [name for name, _, _ in found.clusters if name in before.names]
    clustering = Clustering(
        version=before.version + 1,
        note=f"Learnt from {len(texts)} requests; {len(kept)} of {len(found.clusters)} clusters were there before.",
        n=len(texts),
        least=0.0,
        rarity=found.rarity,
        clusters=tuple(Cluster(name=name, share=share, words=words) for name, share, words in found.clusters),
        spent=tuple(dict.fromkeys([*before.spent, *(name for name in before.names if name not in kept)])),
    )
    alike = sorted(clustering.nearest(text)[1] for text in texts)
    return replace(clustering, least=max(_LEAST, _HALF * alike[int(_OUTSIDE * len(alike))]))


def weigh(words: Sequence[str], rarity: Mapping[str, float]) -> dict[str, float]:
    """Weight of each word of a request: ln(1 + how often) times its rarity."""
    rarest = max(rarity.values(), default=1.0)
    return {word: math.log1p(n) * rarity.get(word, rarest) for word, n in Counter(words).items()}
