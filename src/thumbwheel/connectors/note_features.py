"""How alike notes read, by the words and the runs of letters they share. No model, no network, no chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

#: Characters read of a note: what comes first is what was meant.
READ: Final = 1_000
#: What runs of letters weigh beside words: they find "refuses" in "refused" and work in any language.
RUNS_WEIGHT: Final = 0.8


def alike(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Cosine similarity of each text with each (n x n), of tf-idf weighed words, word pairs and runs of 3 to 5 letters.

    An empty text is like nothing, not even another empty one.
    """
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    if not texts:
        return np.zeros((0, 0))
    cut = [text[:READ].encode("utf-8", "replace").decode("utf-8") for text in texts]
    words = {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b", "stop_words": "english"}
    runs = {"ngram_range": (3, 5), "analyzer": "char_wb"}
    blocks = [_weighed(TfidfVectorizer(sublinear_tf=True, **words), cut)]
    blocks.append(RUNS_WEIGHT * _weighed(TfidfVectorizer(sublinear_tf=True, **runs), cut))
    rows = normalize(sparse.hstack(blocks).tocsr())
    return np.asarray((rows @ rows.T).toarray(), dtype=np.float64)


def _weighed(vectorizer: Any, texts: Sequence[str]) -> Any:
    from scipy import sparse

    try:
        return vectorizer.fit_transform(texts)
    except ValueError:  # nothing in them but stop words or punctuation
        return sparse.csr_matrix((len(texts), 1))
