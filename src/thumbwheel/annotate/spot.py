"""Spot checks: which of a reviewer's settled labels the owner looks at again today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b

from thumbwheel.domain.annotation import Label, Settled


def spot_check(labels: Iterable[Label], k: int, *, seed: str, owner: str) -> dict[str, list[Label]]:
    """`k` labels of each reviewer, picked by chance; reviewers by name, the labels of each in the order picked.

    The pick is the `k` lowest keyed hashes of label ids: with the same seed it stays the same while it is worked
    through, also when a label of it is replaced meanwhile. A label that two reviewers agreed on may be picked for
    each. What an owner decided is not a reviewer's, and nobody checks themselves.
    """
    candidates: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        for annotator in label.annotators if label.settled is not Settled.adjudicated else ():
            if annotator != owner:
                candidates[annotator].append(label)
    return {
        annotator: sorted(candidates[annotator], key=lambda label: _rank(seed, annotator, label.id))[:k]
        for annotator in sorted(candidates)
    }


def _rank(seed: str, annotator: str, label_id: str) -> bytes:
    identity = f"{seed}\0{annotator}\0{label_id}".encode("utf-8", "surrogatepass")
    return blake2b(identity, digest_size=8, person=b"tw-spot").digest()
