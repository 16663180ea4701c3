"""Who sees what: which entries need two people."""

from __future__ import annotations

from hashlib import blake2b

#: Share of entries that two people judge, blind to each other.
DOUBLE_SHARE = 0.10


def needs_two(trace_id: str, *, draw_id: str, secret: bytes, share: float = DOUBLE_SHARE) -> bool:
    """Whether the entry of this trace in this draw needs two annotators.

    Decided by a keyed hash when the draw is made, before the first judgement
    exists: the same entry always gets the same answer, on any replica, and
    nobody without the project's `secret` can tell which entries are doubled or
    make one so by choosing a trace id. Chosen at random, doubled entries
    measure agreement on the queue as it is.

    `share` lies in [0, 1]; 0 doubles none, 1 all.
    """
    key = blake2b(secret, digest_size=32, person=b"tw-double").digest()
    identity = b"\0".join((draw_id.encode("utf-8", "surrogatepass"), trace_id.encode("utf-8", "surrogatepass")))
    drawn = int.from_bytes(blake2b(identity, digest_size=8, key=key).digest(), "big")
    return drawn < share * 2**64
