"""Golden rows from another thumbwheel, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import msgspec

from thumbwheel.errors import ThumbwheelError

#: Rows asked for at a time.
_STRIDE = 500
_SECONDS = 30.0


def fetch_golden(url: str, key: str | None) -> Iterator[bytes]:
    """Every golden row of the server at `url`, each as a line of JSON.

    Raises:
        ThumbwheelError: the server does not answer, refuses, or answers something else.
    """
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    asked: dict[str, Any] = {"limit": _STRIDE}
    with httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=_SECONDS) as client:
        while True:
            page = _page(client, asked)
            yield from (msgspec.json.encode(row) for row in page["items"])
            if page["next"] is None:
                return
            asked["cursor"] = page["next"]


def _page(client: httpx.Client, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = client.get("/v1/golden", params=asked)
        body = msgspec.json.decode(answer.content)
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise ThumbwheelError(f"{client.base_url} does not answer: {fault}.") from fault
    except (msgspec.MsgspecError, UnicodeError) as fault:
        raise ThumbwheelError(f"{client.base_url} is no thumbwheel: it did not answer JSON.") from fault
    if answer.status_code != 200:
        detail = body.get("detail") if isinstance(body, dict) else None
        raise ThumbwheelError(f"{client.base_url} refuses ({answer.status_code}): {detail or 'no reason given'}")
    if not isinstance(body, dict) or not isinstance(body.get("items"), list) or "next" not in body:
        raise ThumbwheelError(f"{client.base_url} is no thumbwheel: its answer is not a page of golden rows.")
    return body
