"""A load of HTTP requests over many keep-alive connections, cheap enough not to be what is measured."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Load:
    """What came of a load on a server process."""

    seconds: float = 0.0
    #: Seconds of CPU the server used meanwhile, in all its threads and in the kernel for it.
    cpu: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    #: Milliseconds from sending to the whole answer, one a request.
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return len(self.latencies) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of the server's CPU a request."""
        return 1000 * self.cpu / len(self.latencies)

    def percentile(self, share: float) -> float:
        """The latency that this share of requests stayed under, in milliseconds."""
        return statistics.quantiles(self.latencies, n=1000)[min(998, int(1000 * share) - 1)]


def post(path: str, key: str, body: bytes, media: str = "application/json") -> bytes:
    """The bytes of one POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
        f"content-type: {media}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str, key: str) -> bytes:
    """The bytes of one GET."""
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n\r\n".encode()


def run_load(port: int, pid: int, requests: Iterable[Sequence[bytes]], *, connections: int) -> Load:
    """Send these, as fast as answers come, over some connections, until there are no more.

    What comes together goes over one connection, one after the other; the first is timed.
    """
    return asyncio.run(_run(port, pid, iter(requests), connections))


async def _run(port: int, pid: int, requests: Iterator[Sequence[bytes]], connections: int) -> Load:
    load = Load()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for first, *others in requests:
            sent = time.perf_counter()
            statuses = [await _ask(reader, writer, first)]
            load.latencies.append(1000 * (time.perf_counter() - sent))
            for status in (*statuses, *[await _ask(reader, writer, each) for each in others]):
                load.statuses[status] = load.statuses.get(status, 0) + 1
        writer.close()

    began, cpu = time.perf_counter(), cpu_of(pid)
    await asyncio.gather(*(one() for _ in range(connections)))
    load.seconds, load.cpu = time.perf_counter() - began, cpu_of(pid) - cpu
    return load


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    await reader.readexactly(length)
    return int(head[9:12])


def cpu_of(pid: int) -> float:
    """Seconds of CPU a process has used; Linux."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
