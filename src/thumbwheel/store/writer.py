"""Group commit: many callers wait for one commit, so that durability costs one sync for all of them."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from thumbwheel.errors import StoreUnavailable

Work = TypeVar("Work")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Work, Answer]):
    work: Work
    size: int
    answer: Future[Answer] | asyncio.Future[Answer]


class GroupWriter(Generic[Work, Answer]):
    """One thread that commits what everybody hands it, up to `limit` rows at a time.

    `commit` gets the works of one group and returns an answer for each, after the transaction that holds all of
    them is durable. If the group fails, each work is tried alone, so that one caller's fault is not another's.
    """

    def __init__(self, commit: Callable[[Sequence[Work]], Sequence[Answer]], *, limit: int = 500) -> None:
        self._commit = commit
        self._limit = limit
        self._inbox: queue.SimpleQueue[_Waiting[Work, Answer] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False

    def submit(self, work: Work, size: int) -> Future[Answer]:
        """Hand over `work` of `size` rows; the future resolves once it is committed.

        Raises:
            StoreUnavailable: the writer has been closed.
        """
        answer: Future[Answer] = Future()
        self._hand_over(_Waiting(work, size, answer))
        return answer

    def submit_async(self, work: Work, size: int) -> asyncio.Future[Answer]:
        """As `submit`, for a caller in an event loop; a group wakes each loop once, not once a caller.

        Raises:
            StoreUnavailable: the writer has been closed.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._hand_over(_Waiting(work, size, answer))
        return answer

    def close(self) -> None:
        """Commit what is waiting, then stop."""
        with self._starting:
            self._closed = True
            thread, self._thread = self._thread, None
            self._inbox.put(None)
        if thread is not None:
            thread.join()

    def _hand_over(self, waiting: _Waiting[Work, Answer]) -> None:
        with self._starting:
            if self._closed:
                raise StoreUnavailable("The server is stopping; nothing was stored, try again.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="thumbwheel-writer", daemon=True)
                self._thread.start()
            self._inbox.put(waiting)

    def _run(self) -> None:
        open_for_work = True
        while open_for_work:
            group, open_for_work = self._take_group()
            if group:
                _tell(self._settled(group))

    def _take_group(self) -> tuple[list[_Waiting[Work, Answer]], bool]:
        first = self._inbox.get()
        if first is None:
            return [], False
        group, size = [first], first.size
        while size < self._limit:
            try:
                further = self._inbox.get_nowait()
            except queue.Empty:
                break
            if further is None:
                return group, False
            group.append(further)
            size += further.size
        return group, True

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
