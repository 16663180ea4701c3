"""A load of HTTP requests over many keep-alive connections, cheap enough not to be what is measured."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Load:
    """What came of a load."""

    seconds: float
    statuses: dict[int, int] = field(default_factory=dict)
    #: Milliseconds from sending to the whole answer, one a request.
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that this share of requests stayed under, in milliseconds."""
        return statistics.quantiles(self.latencies, n=1000)[min(998, int(1000 * share) - 1)]


def request(host: str, port: int, path: str, key: str, body: bytes) -> bytes:
    """The bytes of one POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run_load(
    host: str,
    port: int,
    make: Callable[[int], bytes],
    *,
    connections: int = 64,
    seconds: float = 8.0,
    warmup: float = 2.0,
) -> Load:
    """Send what `make(number)` gives, as fast as answers come, over some connections for some seconds."""
    return asyncio.run(_run(host, port, make, connections, seconds, warmup))


async def _run(
    host: str, port: int, make: Callable[[int], bytes], connections: int, seconds: float, warmup: float
) -> Load:
    load = Load(seconds)
    begin = time.perf_counter() + warmup
    numbers = iter(range(10**9))

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while (sent := time.perf_counter()) < begin + seconds:
            writer.write(make(next(numbers)))
            status = await _answer(reader)
            taken = time.perf_counter() - sent
            if sent >= begin:
                load.latencies.append(1000 * taken)
                load.statuses[status] = load.statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return load


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    await reader.readexactly(length)
    return int(head[9:12])
