"""Group commit: many callers wait for one commit, so that durability costs one sync for all of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from thumbwheel.errors import StoreUnavailable

Work = TypeVar("Work")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Waiting(Generic[Work, Answer]):
    work: Work
    size: int
    answer: Future[Answer] = field(default_factory=Future)


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
        waiting: _Waiting[Work, Answer] = _Waiting(work, size)
        with self._starting:
            if self._closed:
                raise StoreUnavailable("The server is stopping; nothing was stored, try again.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="thumbwheel-writer", daemon=True)
                self._thread.start()
            self._inbox.put(waiting)
        return waiting.answer

    def close(self) -> None:
        """Commit what is waiting, then stop."""
        with self._starting:
            self._closed = True
            thread, self._thread = self._thread, None
            self._inbox.put(None)
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        open_for_work = True
        while open_for_work:
            group, open_for_work = self._take_group()
            if group:
                self._settle(group)

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

    def _settle(self, group: Sequence[_Waiting[Work, Answer]]) -> None:
        try:
            answers = self._commit([waiting.work for waiting in group])
        except Exception as fault:  # noqa: BLE001 - it is the caller's to see
            if len(group) > 1:
                for waiting in group:
                    self._settle([waiting])
            else:
                group[0].answer.set_exception(fault)
            return
        for waiting, answer in zip(group, answers, strict=True):
            waiting.answer.set_result(answer)
