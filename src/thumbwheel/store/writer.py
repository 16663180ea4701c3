"""Group commit: many callers wait for one commit, so that durability costs one sync for all of them."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from thumbwheel.errors import StoreUnavailable

Work = TypeVar("Work")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Work, Answer]):
    work: Work
    size: int
    answer: Future[Answer] | asyncio.Future[Answer]


class _Round(threading.local):
    """What one turn of a thread's event loop brings: it is handed over together, so that the writer is woken once."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.brought: list[_Waiting[Any, Any]] = []


class GroupWriter(Generic[Work, Answer]):
    """One thread that commits what everybody hands it, up to `limit` rows at a time.

    `commit` gets the works of one group and returns an answer for each, after the transaction that holds all of
    them is durable. If the group fails, each work is tried alone, so that one caller's fault is not another's.
    """

    def __init__(self, commit: Callable[[Sequence[Work]], Sequence[Answer]], *, limit: int = 500) -> None:
        self._commit = commit
        self._limit = limit
        self._inbox: queue.SimpleQueue[Sequence[_Waiting[Work, Answer]]] = queue.SimpleQueue()
        self._round = _Round()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False
        #: Set by the thread once nothing more can come: being handed nothing is the sign.
        self._ended = False

    def submit(self, work: Work, size: int) -> Future[Answer]:
        """Hand over `work` of `size` rows; the future resolves once it is committed.

        Raises:
            StoreUnavailable: the writer has been closed.
        """
        answer: Future[Answer] = Future()
        self._hand_over([_Waiting(work, size, answer)])
        return answer

    def submit_async(self, work: Work, size: int) -> asyncio.Future[Answer]:
        """As `submit`, for a caller in an event loop, which a group wakes once and not once a caller.

        The future fails with StoreUnavailable when the writer has been closed.
        """
        loop, mine = asyncio.get_running_loop(), self._round
        answer: asyncio.Future[Answer] = loop.create_future()
        if mine.loop is not loop or not mine.brought:
            mine.loop, mine.brought = loop, []
            loop.call_soon(self._end_round, mine.brought)
        mine.brought.append(_Waiting(work, size, answer))
        return answer

    def _end_round(self, brought: Sequence[_Waiting[Work, Answer]]) -> None:
        if self._round.brought is brought:
            self._round.brought = []
        try:
            self._hand_over(brought)
        except StoreUnavailable as fault:
            _tell([(waiting, fault) for waiting in brought])

    def close(self) -> None:
        """Commit what is waiting, then stop."""
        with self._starting:
            self._closed = True
            thread, self._thread = self._thread, None
            self._inbox.put(())
        if thread is not None:
            thread.join()

    def _hand_over(self, waiting: Sequence[_Waiting[Work, Answer]]) -> None:
        with self._starting:
            if self._closed:
                raise StoreUnavailable("The server is stopping; nothing was stored, try again.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="thumbwheel-writer", daemon=True)
                self._thread.start()
            self._inbox.put(waiting)

    def _run(self) -> None:
        waiting: deque[_Waiting[Work, Answer]] = deque()
        while self._receive(waiting):
            group, size = [], 0
            while waiting and size < self._limit:
                group.append(waiting.popleft())
                size += group[-1].size
            _tell(self._settled(group))

    def _receive(self, waiting: deque[_Waiting[Work, Answer]]) -> bool:
        """Take in all that has been handed over; where nothing is left to do, wait for it. False at the end."""
        while not self._ended:
            try:
                brought = self._inbox.get(block=not waiting)
            except queue.Empty:
                break
            waiting.extend(brought)
            self._ended = not brought
        return bool(waiting)

    def _settled(
        self, group: Sequence[_Waiting[Work, Answer]]
    ) -> list[tuple[_Waiting[Work, Answer], Answer | Exception]]:
        try:
            answers = self._commit([waiting.work for waiting in group])
        except Exception as fault:  # noqa: BLE001 - it is the caller's to see
            if len(group) > 1:
                return [settled for waiting in group for settled in self._settled([waiting])]
            return [(group[0], fault)]
        return list(zip(group, answers, strict=True))


def _tell(settled: Sequence[tuple[_Waiting[Work, Answer], Answer | Exception]]) -> None:
    """Give every caller its answer."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Answer], Answer | Exception]]] = {}
    for waiting, answer in settled:
        if isinstance(waiting.answer, asyncio.Future):
            by_loop.setdefault(waiting.answer.get_loop(), []).append((waiting.answer, answer))
        elif isinstance(answer, Exception):
            waiting.answer.set_exception(answer)
        else:
            waiting.answer.set_result(answer)
    for loop, answers in by_loop.items():
        # A loop that is gone has no caller left to tell.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: Sequence[tuple[asyncio.Future[Answer], Answer | Exception]]) -> None:
    for future, answer in answers:
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
