"""Clusters of requests, with scikit-learn and without any model to download.

Words weighted by rarity, the main directions among them (latent semantic analysis), k-means there, and for each cluster
the words its requests share. A clustering is told by words alone, so that telling the cluster of a new request needs
neither this module nor scikit-learn.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from thumbwheel.errors import Conflict
from thumbwheel.ports import Clustered, ClusterWords

Floats = npt.NDArray[np.float64]

#: Fewer requests than this have no clusters worth a name.
LEAST_REQUESTS: Final = 100
#: A word in fewer requests than this, or in a larger share of them than that, tells nothing apart; the first bound also
#: keeps what one person wrote out of names.
_LEAST_TEXTS, _MOST_SHARE = 5, 0.3
_MOST_WORDS: Final = 1_500
#: Directions kept, and words that make up a cluster.
_DIRECTIONS, _KEPT = 64, 60
#: Clusters of two fits are the same when their words are this alike (cosine).
SAME: Final = 0.35
#: How much worse the groups may fit that grow from former ones before others are taken.
_CLEARLY: Final = 1.03
#: Words in a name.
_NAMED: Final = 2


def fit_clusters(
    texts: Sequence[str],
    n: int,
    *,
    seed: int,
    words_of: Callable[[str], list[str]],
    before: Mapping[str, ClusterWords],
    spent: Sequence[str],
) -> Clustered:
    """Group requests into at most `n` clusters, named by their words.

    A cluster that is most like one of `before` (name -> words), and enough like it, has its name; over all pairs
    the likeness is the largest possible (Hungarian method). Other names are new: none of `before` and none of `spent`.
    The same requests in any order, with the same seed, give the same clusters.

    Raises:
        Conflict: there are too few requests, or their words tell nothing apart.
    """
    if len(texts) < LEAST_REQUESTS:
        raise Conflict(
            f"Clusters need {LEAST_REQUESTS} requests; there are {len(texts)} without a category of their own."
        )
    told = [words_of(text) for text in sorted(texts)]
    vocabulary = _Vocabulary.of(told)
    rows = vocabulary.rows(told)
    labels = _labels(rows, vocabulary.centres(before.values()), n, seed)
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    groups.sort(key=lambda group: -len(group))
    centres = [_centre(rows[group]) for group in groups]
    named = _names(centres, vocabulary.words, before, spent)
    rarity = zip(vocabulary.words, vocabulary.rarity, strict=True)
    return Clustered(
        rarity={word: round(float(value), 4) for word, value in rarity} | dict.fromkeys(vocabulary.common, 0.0),
        clusters=[
            (name, len(group) / len(labels), _words(centre, vocabulary.words))
            for name, group, centre in zip(named, groups, centres, strict=True)
        ],
    )


class _Vocabulary(NamedTuple):
    """Words that tell requests apart, each with its rarity, and those that are too common to."""

    words: list[str]
    rarity: Floats
    common: list[str]

    @classmethod
    def of(cls, told: Sequence[Sequence[str]]) -> _Vocabulary:
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        seen = Counter(word for words in told for word in set(words))
        known = sorted(word for word, n in seen.items() if n >= _LEAST_TEXTS)
        common = [word for word in known if word in ENGLISH_STOP_WORDS or seen[word] > _MOST_SHARE * len(told)]
        telling = sorted(set(known).difference(common), key=lambda word: (-seen[word], word))[:_MOST_WORDS]
        if len(telling) < 2:
            raise Conflict("These requests share no words that tell some of them apart from others.")
        rarity = np.log((1 + len(told)) / (1 + np.array([seen[word] for word in telling]))) + 1
        return cls(telling, rarity, common)

    def rows(self, told: Sequence[Sequence[str]]) -> Any:
        """Requests x words (scipy CSR), each row of length 1."""
        from scipy import sparse
        from sklearn.preprocessing import normalize

        column = {word: at for at, word in enumerate(self.words)}
        counts = [Counter(column[word] for word in words if word in column) for words in told]
        columns = [at for each in counts for at in each]
        weights = np.log1p([float(n) for each in counts for n in each.values()]) * self.rarity[columns]
        ends = np.cumsum([0, *map(len, counts)])
        return normalize(sparse.csr_matrix((weights, columns, ends), shape=(len(told), len(self.words))))

    def centres(self, clusters: Iterable[ClusterWords]) -> Floats:
        """Clusters x words, of former clusters as far as their words are known here."""
        given = [[words.get(word, 0.0) for word in self.words] for words in clusters]
        centres = np.array(given, dtype=np.float64).reshape(len(given), len(self.words))
        return centres[centres.any(axis=1)]


def _labels(rows: Any, former: Any, n: int, seed: int) -> npt.NDArray[np.intp]:
    """The group of each request. Groups that grow from the former centres are taken unless others fit clearly better."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    directions = TruncatedSVD(min(_DIRECTIONS, rows.shape[1] - 1), random_state=seed).fit(rows)
    flat = normalize(directions.transform(rows))
    k = min(n, len(np.unique(np.round(flat, 9), axis=0)))
    found = KMeans(k, n_init=4, random_state=seed).fit(flat)
    if former.shape[0]:
        begin = normalize(directions.transform(former))[:k]
        begin = np.vstack([begin, found.cluster_centers_[: k - len(begin)]])
        grown = KMeans(k, init=begin, n_init=1, random_state=seed).fit(flat)
        found = grown if grown.inertia_ <= _CLEARLY * found.inertia_ else found
    return np.asarray(found.labels_, dtype=np.intp)


def _centre(rows: Any) -> Floats:
    """The heaviest words of these requests' mean, at length 1."""
    mean = np.asarray(rows.mean(axis=0)).ravel()
    mean[np.argsort(-mean, kind="stable")[_KEPT:]] = 0.0
    length = float(np.linalg.norm(mean))
    return mean / length if length else mean


def _words(centre: Floats, vocabulary: Sequence[str]) -> ClusterWords:
    order = [at for at in np.argsort(-centre, kind="stable")[:_KEPT] if centre[at] > 0]
    return {vocabulary[at]: round(float(centre[at]), 4) for at in order}


def _names(
    centres: Sequence[Floats], vocabulary: Sequence[str], before: Mapping[str, ClusterWords], spent: Sequence[str]
) -> list[str]:
    kept = _kept(centres, vocabulary, before)
    taken = {*before, *spent}
    names = []
    for at, centre in enumerate(centres):
        name = kept.get(at) or _new_name(centre, [each for each in centres if each is not centre], vocabulary, taken)
        taken.add(name)
        names.append(name)
    return names


def _kept(centres: Sequence[Floats], vocabulary: Sequence[str], before: Mapping[str, ClusterWords]) -> dict[int, str]:
    """Which cluster has the name of which former one."""
    from scipy.optimize import linear_sum_assignment

    if not before:
        return {}
    column = {word: at for at, word in enumerate(vocabulary)}
    alike = np.array(
        [
            [
                math.fsum(centre[column[word]] * weight for word, weight in words.items() if word in column)
                for words in before.values()
            ]
            for centre in centres
        ]
    )
    names = list(before)
    pairs = zip(*linear_sum_assignment(-alike), strict=True)
    return {int(row): names[at] for row, at in pairs if alike[row, at] >= SAME}


def _new_name(centre: Floats, others: Sequence[Floats], vocabulary: Sequence[str], taken: set[str]) -> str:
    """The words that say most about a cluster and least about the others, as in `invoice-refund`."""
    elsewhere = np.max(others, axis=0) if others else np.zeros_like(centre)
    telling = [vocabulary[at] for at in np.argsort(-(centre - 0.5 * elsewhere), kind="stable") if centre[at] > 0]
    chosen: list[str] = []
    for word in telling:
        if not any(word[:4] == other[:4] for other in chosen):
            chosen.append(word)
        name = "-".join(chosen)
        if len(chosen) >= _NAMED and name not in taken:
            return name
    name = "-".join(chosen[:_NAMED]) or "cluster"
    return next(each for each in (name, *(f"{name}-{n}" for n in range(2, len(taken) + 3))) if each not in taken)
