"""A request and its answer as numbers: hashed words and character runs, lengths, category."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thumbwheel.ports import Case

Floats = npt.NDArray[np.float64]

#: Hash buckets of each block of text features.
BUCKETS: Final = 2**17
#: A feature seen in fewer training texts than this is dropped: it could only be learned by heart.
LEAST_TEXTS: Final = 2
#: Characters read of a request and of an answer, from its start and from its end: no text is slow.
READ: Final = {"input": (1_500, 500), "output": (2_500, 500)}
#: Characters of each whose runs of letters are read: openings tell refusals and languages apart.
OPENING: Final = 200
#: How much lengths and categories weigh beside a block of text, whose rows have length 1.
LENGTHS_SCALE: Final = 0.3
CATEGORY_SCALE: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class TextFeatures:
    """What was learned about a set of texts: which features to keep and how rare each is."""

    #: Kept columns of each block, and their inverse document frequency, ln((1 + n) / (1 + df)) + 1.
    columns: tuple[npt.NDArray[np.intp], ...]
    idf: tuple[Floats, ...]
    #: Mean and standard deviation of the lengths.
    centre: Floats
    spread: Floats
    categories: tuple[str, ...]

    @classmethod
    def fit(cls, cases: Sequence[Case]) -> tuple[TextFeatures, Any]:
        """Learn from these texts; also their own matrix, texts x features (scipy CSR)."""
        counted = _counts(cases)
        documents = [np.asarray((block > 0).sum(axis=0), dtype=np.float64).ravel() for block in counted]
        columns = tuple(np.flatnonzero(df >= LEAST_TEXTS) for df in documents)
        idf = tuple(np.log((1 + len(cases)) / (1 + df[kept])) + 1 for df, kept in zip(documents, columns, strict=True))
        lengths = _lengths(cases)
        features = cls(
            columns,
            idf,
            lengths.mean(axis=0) if len(cases) else np.zeros(lengths.shape[1]),
            np.where(lengths.std(axis=0) > 0, lengths.std(axis=0), 1.0) if len(cases) else np.ones(lengths.shape[1]),
            tuple(sorted({case.category for case in cases if case.category is not None})),
        )
        return features, features._weighed(counted, lengths, cases)

    def matrix(self, cases: Sequence[Case]) -> Any:
        """Texts x features (scipy CSR), by what was learned; an unknown category has no column."""
        return self._weighed(_counts(cases), _lengths(cases), cases)

    def _weighed(self, counted: Sequence[Any], lengths: Floats, cases: Sequence[Case]) -> Any:
        from scipy import sparse
        from sklearn.preprocessing import normalize

        blocks = []
        for block, kept, rarity in zip(counted, self.columns, self.idf, strict=True):
            if not (cases and len(kept)):
                blocks.append(sparse.csr_matrix((len(cases), len(kept))))
                continue
            weighed = block[:, kept]
            weighed.data = np.log1p(weighed.data)
            blocks.append(normalize(weighed.multiply(rarity[np.newaxis, :]).tocsr()))
        spread = np.clip((lengths - self.centre) / self.spread, -4, 4)
        blocks.append(sparse.csr_matrix(LENGTHS_SCALE * spread))
        blocks.append(sparse.csr_matrix(CATEGORY_SCALE * self._one_hot(cases)))
        return sparse.hstack(blocks, format="csr")

    def _one_hot(self, cases: Sequence[Case]) -> Floats:
        column = {category: number for number, category in enumerate(self.categories)}
        hot = np.zeros((len(cases), len(column)))
        for row, case in enumerate(cases):
            if case.category in column:
                hot[row, column[case.category]] = 1.0
        return hot


def _counts(cases: Sequence[Case]) -> list[Any]:
    """Words and word pairs of the request, those of the answer, and runs of 3-4 characters of both openings."""
    from scipy import sparse
    from sklearn.feature_extraction.text import HashingVectorizer

    if not cases:
        return [sparse.csr_matrix((0, BUCKETS)) for _ in range(3)]
    plain = {"n_features": BUCKETS, "alternate_sign": False, "norm": None}
    words = HashingVectorizer(ngram_range=(1, 2), **plain)
    runs = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), **plain)
    return [
        words.transform([_cut(case.input, READ["input"]) for case in cases]),
        words.transform([_cut(case.output, READ["output"]) for case in cases]),
        runs.transform([_cut(f"{case.input[:OPENING]} \n {case.output[:OPENING]}", READ["input"]) for case in cases]),
    ]


def _cut(text: str, read: tuple[int, int]) -> str:
    start, end = read
    cut = text if len(text) <= start + end else f"{text[:start]} {text[-end:]}"
    return cut.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair cannot be hashed


def _lengths(cases: Sequence[Case]) -> Floats:
    """Log lengths, lines, share of digits, and whether the answer ends like a finished one."""
    rows = [
        (
            math.log1p(len(case.input)),
            math.log1p(len(case.output)),
            math.log1p(case.output.count("\n")),
            sum(map(str.isdigit, case.output[: READ["output"][0]])) / (1 + min(len(case.output), READ["output"][0])),
            float(case.output.rstrip()[-1:] in set(".!?)`\"'”»|")),
        )
        for case in cases
    ]
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), 5)
