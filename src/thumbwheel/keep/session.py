"""What every kind of keeping works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, TypeVar

from thumbwheel.domain.cell import Cell
from thumbwheel.domain.signal import Signal
from thumbwheel.errors import IdReused, ThumbwheelError
from thumbwheel.store.ledger import Tx

#: What a trace's signals and judge score (1 = good) tell of it.
Weigh: TypeAlias = Callable[[Sequence[Signal], "float | None"], Cell]

#: What became of one item: kept, kept before, or refused.
Outcome: TypeAlias = "bool | ThumbwheelError"

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Session:
    """One transaction, in one project."""

    tx: Tx
    now: datetime
    #: Secret of the sample keys: who chooses trace ids must not choose places in the shuffle.
    shuffle: bytes
    weigh: Weigh


def recognise(known: dict[_Key, int], key: _Key, content: int) -> Outcome:
    """Whether this key is new; a key that comes again with other content is refused."""
    if key not in known:
        known[key] = content
        return True
    return False if known[key] == content else IdReused(field="id")
