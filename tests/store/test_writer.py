"""Group commit: who is answered, after what, and with whom."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from thumbwheel.errors import Invalid, StoreUnavailable
from thumbwheel.store.writer import GroupWriter


class Book:
    """Keeps the groups it is given; what is negative spoils its group."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.open = threading.Event()
        self.open.set()

    def commit(self, works: Sequence[int]) -> Sequence[str]:
        self.open.wait(10)
        if min(works) < 0:
            raise Invalid("negative")
        self.groups.append(list(works))
        return [f"kept {work}" for work in works]


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def writer(book: Book) -> Iterator[GroupWriter[int, str]]:
    writer = GroupWriter(book.commit, limit=10)
    yield writer
    writer.close()


async def keep(writer: GroupWriter[int, str], *works: int) -> list[str | BaseException]:
    return await asyncio.gather(*(writer.submit_async(work, 1) for work in works), return_exceptions=True)


def test_what_one_turn_of_a_loop_brings_is_one_group(writer: GroupWriter[int, str], book: Book) -> None:
    assert asyncio.run(keep(writer, 1, 2, 3)) == ["kept 1", "kept 2", "kept 3"]
    assert book.groups == [[1, 2, 3]]


def test_a_group_ends_where_it_is_full_and_nothing_is_left_behind(writer: GroupWriter[int, str], book: Book) -> None:
    asyncio.run(keep(writer, *range(24)))
    assert [len(group) for group in book.groups] == [10, 10, 4]


def test_what_comes_while_a_group_is_committed_is_the_next(writer: GroupWriter[int, str], book: Book) -> None:
    book.open.clear()
    waiting = [writer.submit(work, 1) for work in range(5)]
    book.open.set()
    assert [each.result(10) for each in waiting] == [f"kept {work}" for work in range(5)]
    assert [len(group) for group in book.groups] in ([1, 4], [2, 3], [3, 2], [4, 1], [5])


def test_one_callers_fault_is_not_anothers(writer: GroupWriter[int, str], book: Book) -> None:
    good, bad, other = asyncio.run(keep(writer, 1, -1, 2))
    assert (good, other) == ("kept 1", "kept 2")
    assert isinstance(bad, Invalid)


def test_closing_commits_what_waits_and_takes_no_more(writer: GroupWriter[int, str], book: Book) -> None:
    book.open.clear()
    waiting = [writer.submit(work, 1) for work in range(25)]
    threading.Timer(0.02, book.open.set).start()
    writer.close()
    assert all(each.done() for each in waiting)
    assert [work for group in book.groups for work in group] == list(range(25))
    with pytest.raises(StoreUnavailable):
        writer.submit(1, 1)
    (refused,) = asyncio.run(keep(writer, 1))
    assert isinstance(refused, StoreUnavailable)


def test_a_loop_that_ended_in_mid_turn_stops_no_other(writer: GroupWriter[int, str]) -> None:
    async def leave() -> None:
        writer.submit_async(1, 1)

    gone = asyncio.new_event_loop()
    gone.run_until_complete(leave())
    assert asyncio.run(keep(writer, 2)) == ["kept 2"]
    gone.run_until_complete(asyncio.sleep(0))
    gone.close()
    assert asyncio.run(keep(writer, 3)) == ["kept 3"]
