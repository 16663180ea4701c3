"""HTTP to another tool: its key, its pages, and its refusals as one sentence each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final, TypeAlias

import httpx2 as httpx
import msgspec

from thumbwheel.domain.instant import utc
from thumbwheel.errors import Invalid, NotHere, SourceBroken, SourceRefused, SourceUnavailable

#: Query parameters; a list is written once for each of its values.
Params: TypeAlias = Mapping[str, str | int | Sequence[str]]

_SECONDS: Final = 60.0
#: How often something is asked for, and how long we wait between at most.
_TRIES: Final = 6
_LONGEST_WAIT: Final = 60.0
_BUSY: Final = frozenset({429, 502, 503, 504})
_MOST_PAGES: Final = 100_000


@dataclass(frozen=True)
class Http:
    """One tool at one address."""

    #: As people call it.
    tool: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    transport: httpx.BaseTransport | None = None
    sleep: Callable[[float], None] = time.sleep

    @cached_property
    def _client(self) -> httpx.Client:
        if not self.url.startswith(("http://", "https://")):
            raise Invalid(f"{self.url!r} is no address: it begins with http:// or https://.", field="url")
        return httpx.Client(
            headers={"accept": "application/json", **self.headers},
            timeout=_SECONDS,
            follow_redirects=True,
            transport=self.transport,
        )

    def get(self, path: str, params: Params | None = None) -> Any:
        """What the tool answers, read as JSON.

        Raises:
            SourceUnavailable: it does not answer, or only that it is busy.
            SourceRefused: it does not take the key.
            NotHere: it has nothing at this path.
            SourceBroken: it answers something else.
        """
        return self.send("GET", path, params=params)

    def post(self, path: str, body: Any) -> Any:
        """As `get`, sending something."""
        return self.send("POST", path, body=body)

    def send(self, method: str, path: str, *, params: Params | None = None, body: Any = None) -> Any:
        """As `get`, by any method."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"content-type": "application/json"}
        answer = self._answer(method, path, params=params, content=content, headers=headers)
        if answer.status_code in {401, 403}:
            raise SourceRefused(
                f"{self.tool} at {self.url} does not take this key, or the key may not do this"
                f" ({answer.status_code}{_said(answer)})."
            )
        if answer.status_code == 404:
            raise NotHere(f"{self.tool} at {self.url} has no {path} (404{_said(answer)}).")
        if not 200 <= answer.status_code < 300:
            raise SourceBroken(
                f"{self.tool} at {self.url} refuses {method} {path} ({answer.status_code}{_said(answer)})."
            )
        return self._read(answer, path)

    def _read(self, answer: httpx.Response, path: str) -> Any:
        if not answer.content:
            return None
        try:
            return msgspec.json.decode(answer.content)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
            raise SourceBroken(
                f"{self.url}{path} did not answer JSON: is this the address of {self.tool}, without a path of a page?"
            ) from fault

    def _answer(self, method: str, path: str, **more: Any) -> httpx.Response:
        """An answer that is not only that the tool is busy, asked for again as often as is sensible."""
        for tried in range(1, _TRIES + 1):
            try:
                answer = self._client.request(method, self.url.rstrip("/") + path, **more)
            except httpx.InvalidURL as fault:
                raise Invalid(f"{self.url!r} is no address: {fault}.", field="url") from fault
            except httpx.HTTPError as fault:
                if tried >= 3:
                    raise SourceUnavailable(
                        f"{self.tool} at {self.url} does not answer: {str(fault) or type(fault).__name__}."
                    ) from fault
                self.sleep(float(2**tried) / 2)
                continue
            if answer.status_code not in _BUSY:
                return answer
            wait = _asked_to_wait(answer.headers.get("retry-after"))
            if tried < _TRIES and (wait or 0.0) <= _LONGEST_WAIT:
                self.sleep(min(2.0**tried, _LONGEST_WAIT) if wait is None else wait)
                continue
            raise SourceUnavailable(self._busy(answer, wait))
        raise AssertionError

    def _busy(self, answer: httpx.Response, wait: float | None) -> str:
        when = "later" if wait is None else f"in {wait:.0f} seconds"
        what = "wants fewer requests" if answer.status_code == 429 else f"is busy ({answer.status_code})"
        return f"{self.tool} at {self.url} {what}; run the command again {when}, it goes on from here."

    # --- pages

    def follow(self, ask: Callable[[str | None], tuple[Any, str | None]]) -> Iterator[Any]:
        """Every page, from the one without a cursor to the one that gives none; `ask` gets a page and its next cursor.

        Raises:
            SourceBroken: a cursor leads back to where it was.
        """
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            page, cursor = ask(cursor)
            yield page
            if not cursor:
                return
            if cursor in seen or len(seen) > _MOST_PAGES:
                raise SourceBroken(f"{self.tool} at {self.url} gives the same page again and again.")
            seen.add(cursor)

    def count_up(self, ask: Callable[[int], tuple[list[Any], bool]]) -> Iterator[list[Any]]:
        """Every page by its number from 1 on; `ask` gets a page and whether it is the last.

        Raises:
            SourceBroken: two pages are the same: the number is not looked at.
        """
        before: list[Any] | None = None
        for number in range(1, _MOST_PAGES):
            page, last = ask(number)
            if page and page == before:
                raise SourceBroken(f"{self.tool} at {self.url} gives the same page again and again.")
            yield page
            if last or not page:
                return
            before = page

    def objects(self, answer: Any, name: str) -> list[dict[str, Any]]:
        """The list of objects of this name in an answer.

        Raises:
            SourceBroken: there is none.
        """
        found = answer.get(name) if isinstance(answer, dict) else None
        if found is None and isinstance(answer, dict):
            found = []
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise SourceBroken(f"{self.tool} at {self.url} answered without a list of {name!r}.")
        return found


def text_at(answer: Any, *names: str) -> str | None:
    """The text at a path of names in an answer; None where there is none."""
    for name in names:
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer if isinstance(answer, str) and answer else None


def iso(at: datetime) -> str:
    """A time as these tools read it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _asked_to_wait(header: str | None) -> float | None:
    """Seconds to wait, given as such or as a date; None where nothing is said."""
    if not header:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        at = utc(parsedate_to_datetime(header))
    except ValueError:
        return None
    return max((at - datetime.now(UTC)).total_seconds(), 0.0)


def _said(answer: httpx.Response) -> str:
    """What an answer says of why, as the end of a parenthesis."""
    try:
        body = msgspec.json.decode(answer.content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        body = answer.text
    if isinstance(body, dict):
        body = next((body[name] for name in ("detail", "message", "error") if isinstance(body.get(name), str)), "")
    said = " ".join(body.split())[:200] if isinstance(body, str) and "<" not in body[:20] else ""
    return f": {said.rstrip('.')}" if said else ""
