"""The client an application reports feedback with: it never blocks, never raises, and forgets nothing it can keep.

Signals wait in bounded memory and a background thread sends them in batches, again and again until the server has
them. Each carries an id made here, so one that is sent twice is kept once. What goes wrong is logged under
`thumbwheel.client` and counted; the application is never told by an exception. It needs nothing else of thumbwheel.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
import weakref
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias, get_args

if TYPE_CHECKING:
    import httpx2

_log = logging.getLogger("thumbwheel.client")

Rating: TypeAlias = Literal["up", "down"]
Right: TypeAlias = Literal["evaluate", "prompt", "retrieve", "train"]
Implicit: TypeAlias = Literal["regenerate", "clarification", "abandonment", "copy", "copy_edit", "dwell"]

#: What a server that is only busy or away answers; everything else would be answered the same again.
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_BATCH_BYTES = 1_000_000


class Counters(NamedTuple):
    """What became of the signals so far."""

    #: Stored by the server, now or by an earlier try.
    sent: int = 0
    #: Refused: by the server, or here because they could not be one.
    rejected: int = 0
    #: Given up: the oldest, when too many waited, and those still waiting at the end.
    dropped: int = 0
    #: Requests that had to be made again.
    failures: int = 0
    #: Waiting to be sent.
    pending: int = 0


class Client:
    """Reports feedback in the background.

    Args:
        url: Address of the server: "https://thumbwheel.example.com".
        key: A secret key that may ingest, `tw_sk_…`.
        max_pending: Signals that may wait; beyond it the oldest is dropped and counted.
        max_bytes: As much memory as they may take, in bytes of JSON.
        batch: Signals sent in one request.
        every: Seconds a signal waits for company before it is sent.
        timeout: Seconds one request may take; `exit_timeout`, the end of the process waits for what is left.
        transport: Another httpx2 transport.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        max_pending: int = 10_000,
        max_bytes: int = 16_000_000,
        batch: int = 100,
        every: float = 1.0,
        timeout: float = 10.0,
        exit_timeout: float = 5.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._address = f"{url.rstrip('/')}/v1/signals"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._limits = (max_pending, max_bytes)
        self._batch, self._every, self._timeout = batch, every, timeout
        self._exit_timeout = exit_timeout
        self._transport = transport
        self._begin()
        _clients.add(self)

    def _begin(self) -> None:
        """Start with nothing waiting and no thread: at first, and in a child process, whose parent sends the rest."""
        self._counters = Counters()
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        #: Taken from the queue and not answered for yet.
        self._flying = 0
        self._state = threading.Condition()
        self._thread: threading.Thread | None = None
        self._hurry = False
        self._closing: float | None = None

    # --- saying something

    def rate(self, trace_id: str, value: Rating, **beside: Any) -> str | None:
        """Somebody pressed a thumb. Returns the signal's id, or None when it could not be one.

        `beside`, here and below: `user_id`, `comment`, `consent` (a dict), `at` (an aware datetime) and `id`.
        """
        return self._say(trace_id, "user_rating", beside, good=value in {"up", "down"}, value=value)

    def reason(self, trace_id: str, reason: str, **beside: Any) -> str | None:
        """Somebody said what was wrong, in one of the project's reasons."""
        return self._say(trace_id, "user_reason", beside, reason=reason)

    def edit(
        self, trace_id: str, edited: str, *, original: str | None = None, rights: Iterable[Right] = (), **beside: Any
    ) -> str | None:
        """Somebody changed the answer; without `original` it is compared with the trace's own output."""
        return self._say(trace_id, "user_edit", beside, edited=edited, original=original, rights=sorted(rights) or None)

    def implicit(
        self, trace_id: str, kind: Implicit, *, seconds: float | None = None, edited: str | None = None, **beside: Any
    ) -> str | None:
        """Somebody did something: `dwell` takes `seconds`; `copy_edit` may take the text as it was changed."""
        name = str(kind).removeprefix("implicit_")
        good = name in get_args(Implicit) and (name == "dwell") == (seconds is not None)
        return self._say(trace_id, f"implicit_{name}", beside, good=good, seconds=seconds, edited=edited)

    def _say(self, trace_id: str, kind: str, beside: dict[str, Any], *, good: bool = True, **own: Any) -> str | None:
        try:
            signal = {"id": os.urandom(16).hex(), "trace_id": trace_id, "kind": kind, "at": datetime.now(UTC)} | beside
            signal |= {name: value for name, value in own.items() if value is not None}
            if not good or not trace_id:
                raise ValueError(f"there is no such signal: {kind}")
            self._add(json.dumps(signal, default=_plain, allow_nan=False).encode())
        except Exception:  # noqa: BLE001 - feedback never breaks what it is about
            _log.warning("A signal could not be made", exc_info=True)
            self._count(rejected=1)
            return None
        return str(signal["id"])

    def _add(self, item: bytes) -> None:
        with self._state:
            if self._closing is not None:
                self._count(dropped=1)
                return
            self._waiting.append(item)
            self._bytes += len(item)
            self._make_room()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="thumbwheel-client", daemon=True)
                self._thread.start()
            elif len(self._waiting) in {1, self._batch}:
                self._state.notify_all()

    def _make_room(self) -> None:
        most, most_bytes = self._limits
        before = len(self._waiting)
        while self._waiting and (len(self._waiting) + self._flying > most or self._bytes > most_bytes):
            self._bytes -= len(self._waiting.popleft())
        gone = before - len(self._waiting)
        if gone:
            if not self._counters.dropped:
                _log.warning("Too many signals wait; the oldest are dropped from now on (counted, not logged again)")
            self._count(dropped=gone)

    # --- how it goes

    @property
    def counters(self) -> Counters:
        """What became of the signals so far."""
        with self._state:
            return self._counters._replace(pending=len(self._waiting) + self._flying)

    def flush(self, timeout: float = 10.0) -> bool:
        """Send what waits, now; True when nothing is left within `timeout` seconds."""
        with self._state:
            self._hurry = True
            self._state.notify_all()
            return self._state.wait_for(lambda: not self._waiting and not self._flying, timeout)

    def close(self, timeout: float | None = None) -> None:
        """Send what waits for up to `timeout` seconds (`exit_timeout` when not given), then stop for good."""
        with self._state:
            if self._closing is None:
                self._closing = monotonic() + (self._exit_timeout if timeout is None else timeout)
            thread, left = self._thread, max(0.0, self._closing - monotonic())
            self._state.notify_all()
        if thread is not None:
            thread.join(left)
        self._give_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _give_up(self) -> None:
        with self._state:
            left = len(self._waiting) + self._flying
            self._waiting.clear()
            self._bytes = self._flying = 0
            if left:
                _log.warning("%d signals were not sent in time and are lost", left)
                self._count(dropped=left)
            self._state.notify_all()

    def _count(self, **more: int) -> None:
        with self._state:
            now = {name: getattr(self._counters, name) + n for name, n in more.items()}
            self._counters = self._counters._replace(**now)

    # --- the background

    def _run(self) -> None:
        with _loading:
            import httpx2

            http = httpx2.Client(timeout=self._timeout, headers=self._headers, transport=self._transport)
        with http:
            while batch := self._take():
                self._deliver(http, batch)

    def _take(self) -> list[bytes]:
        """The next batch, once there is one; none when closing and nothing waits."""
        with self._state:
            while not self._waiting and self._closing is None:
                self._hurry = False
                self._state.wait()
            self._state.wait_for(
                lambda: self._hurry or self._closing is not None or len(self._waiting) >= self._batch, self._every
            )
            batch: list[bytes] = []
            size = 0
            while self._waiting and len(batch) < self._batch and (not batch or size < _BATCH_BYTES):
                batch.append(self._waiting.popleft())
                size += len(batch[-1])
            self._bytes -= size
            self._flying = len(batch)
            return batch

    def _deliver(self, http: httpx2.Client, batch: list[bytes]) -> None:
        """Send one batch until the server has it or says it never will."""
        wait = _FIRST_WAIT
        while self._closing is None or monotonic() < self._closing:
            try:
                answer = http.post(self._address, content=b'{"signals":[' + b",".join(batch) + b"]}")
                if answer.status_code not in _AGAIN:
                    return self._answered(http, batch, answer)
                pause = _asked_to_wait(answer.headers.get("retry-after"))
                said = f"status {answer.status_code}"
            except Exception as fault:  # noqa: BLE001 - whatever stands in the way may be gone later
                pause, said = None, f"{type(fault).__name__}: {fault}"
            self._count(failures=1)
            _log.log(logging.WARNING if wait == _FIRST_WAIT else logging.DEBUG, "Sending is tried again: %s", said)
            self._sleep(wait * (0.5 + os.urandom(1)[0] / 512) if pause is None else pause)
            wait = min(2 * wait, _LONGEST_WAIT)
        return self._give_up()

    def _answered(self, http: httpx2.Client, batch: list[bytes], answer: httpx2.Response) -> None:
        if answer.status_code == 413 and len(batch) > 1:
            half = len(batch) // 2
            self._deliver(http, batch[:half])
            return self._deliver(http, batch[half:])
        refused = _refused(answer, len(batch))
        if refused:
            _log.error("The server refused %d of %d signals: %s", refused, len(batch), answer.text[:500])
        with self._state:
            if self._flying:
                self._flying -= len(batch)
                self._count(sent=len(batch) - refused, rejected=refused)
            self._state.notify_all()
        return None

    def _sleep(self, seconds: float) -> None:
        """Wait, but not past a call to close, which deserves one more try at once."""
        with self._state:
            before = self._closing
            left = seconds if before is None else min(seconds, max(0.0, before - monotonic()))
            self._state.wait_for(lambda: self._closing is not before, left)


class AsyncClient:
    """The same for asyncio: every call returns at once, and the same background thread does the sending."""

    def __init__(self, url: str, key: str, **options: Any) -> None:
        self._client = Client(url, key, **options)

    async def rate(self, trace_id: str, value: Rating, **beside: Any) -> str | None:
        """As `Client.rate`."""
        return self._client.rate(trace_id, value, **beside)

    async def reason(self, trace_id: str, reason: str, **beside: Any) -> str | None:
        """As `Client.reason`."""
        return self._client.reason(trace_id, reason, **beside)

    async def edit(self, trace_id: str, edited: str, **beside: Any) -> str | None:
        """As `Client.edit`."""
        return self._client.edit(trace_id, edited, **beside)

    async def implicit(self, trace_id: str, kind: Implicit, **beside: Any) -> str | None:
        """As `Client.implicit`."""
        return self._client.implicit(trace_id, kind, **beside)

    @property
    def counters(self) -> Counters:
        """What became of the signals so far."""
        return self._client.counters

    async def flush(self, timeout: float = 10.0) -> bool:  # noqa: ASYNC109 - a thread waits, which no scope can cancel
        """As `Client.flush`, without holding up the loop."""
        import asyncio

        return await asyncio.to_thread(self._client.flush, timeout)

    async def close(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        """As `Client.close`, without holding up the loop."""
        import asyncio

        await asyncio.to_thread(self._client.close, timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def sign_feedback_token(
    trace_id: str,
    expires_in: timedelta | float,
    secret: str,
    *,
    user_id: str | None = None,
    now: datetime | None = None,
) -> str:
    """A token with which anybody may speak about one trace, for an e-mail: `{url}/v1/feedback/{token}?value=up`.

    `expires_in` is seconds or a timedelta; `secret` is a secret key that may
    ingest, and revoking it voids the token, which can be read but not altered.
    """
    import hashlib
    import hmac

    lasts = expires_in if isinstance(expires_in, timedelta) else timedelta(seconds=expires_in)
    ends = (now or datetime.now(UTC)) + lasts
    known = hashlib.blake2b(secret.encode(), digest_size=32).hexdigest()
    claims: dict[str, object] = {"k": known[:12], "t": trace_id, "e": int(ends.timestamp())}
    if user_id is not None:
        claims["u"] = user_id
    payload = _base64(json.dumps(claims, separators=(",", ":")).encode())
    seal = hmac.digest(known.encode(), b"thumbwheel.feedback", "sha256")
    return f"{payload}.{_base64(hmac.digest(seal, payload.encode(), 'sha256'))}"


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _asked_to_wait(header: str | None) -> float | None:
    """Seconds the server asks to wait; a date counts as no wish."""
    try:
        return min(max(float(header or ""), 0.0), 600.0)
    except ValueError:
        return None


def _refused(answer: httpx2.Response, n: int) -> int:
    """How many of `n` the server will never take."""
    if answer.status_code not in {200, 201}:
        return n
    try:
        return len(answer.json()["rejected"])
    except (ValueError, KeyError, TypeError):
        return 0


_clients: weakref.WeakSet[Client] = weakref.WeakSet()
#: Held while httpx2 is loaded, and across a fork: a child whose parent was loading could never load it again.
_loading = threading.Lock()


def _close_all() -> None:
    for client in list(_clients):
        client.close()


def _begin_all() -> None:
    _loading.release()
    for client in list(_clients):
        client._begin()  # noqa: SLF001 - a fork happens to the process, not to one object


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_begin_all)
