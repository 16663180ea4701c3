"""The whole wheel once round, over HTTP and the command line, against a real server: traces in, a gate out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.postgres import create_database, drop_database
from tests.server import COMMAND, environment, run, serving
from thumbwheel.cli.main import main

Command = Callable[..., str]

CODEBOOK = """
name: Fees
question: Does the answer state the right fee?
categories:
  - id: wrong-fee
    name: Wrong fee
    definition: States a fee other than 5 euros.
    positive: The fee is 4 euros.
    negative: The fee is 5 euros.
    edge_case: Says that it does not know the fee.
    key: w
"""

APPLICATION = """
FIXED = {fixed}

def answer(input: dict) -> str:
    return "The fee is 5 euros." if FIXED else "The fee is 4 euros."
"""

N_TRACES, BUDGET = 300, 40


def failed(number: int) -> bool:
    return number % 4 == 0


def output(number: int) -> str:
    return "The fee is 4 euros." if failed(number) else "The fee is 5 euros."


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/loop.db"
        return
    server = request.getfixturevalue("postgres_server")
    yield create_database(server, "loop")
    drop_database(server, "loop")


class Wheel:
    """The doors, as a team that uses them sees them."""

    def __init__(self, url: str, key: str, env: dict[str, str], folder: Path, command: Command) -> None:
        self._client = httpx2.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=60)
        self._env = env
        self._folder = folder
        self.command = command

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        answer = self._client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def process(self, *words: str, code: int = 0) -> str:
        """A command as a process of its own: the gate imports the application, which changes on disk."""
        done = subprocess.run(
            [*COMMAND, *words], check=False, capture_output=True, text=True, env=self._env, cwd=self._folder
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


def capture(wheel: Wheel) -> None:
    now = datetime.now(UTC)
    traces = [
        {
            "id": f"t{number}",
            "started_at": (now - timedelta(hours=30 + number / 4)).isoformat(),
            "category": ("billing", "travel")[number % 2],
            "user_id": f"u{number % 30}",
            "input": [{"role": "user", "content": f"What is fee number {number}?"}],
            "output": output(number),
        }
        for number in range(N_TRACES)
    ]
    assert wheel.post("/v1/traces/batch", {"traces": traces})["accepted"] == N_TRACES
    signals = [
        {"id": "s", "trace_id": f"t{number}", "kind": "user_rating", "value": "down", "user_id": f"u{number % 30}"}
        for number in range(0, N_TRACES, 8)
    ]
    assert wheel.post("/v1/signals", {"signals": signals})["accepted"] == len(signals)


def annotate(wheel: Wheel, annotator: str) -> int:
    done = 0
    while True:
        answer = wheel._client.post("/v1/queue/next", json={"annotator": annotator})
        if answer.status_code == 204:
            return done
        served = answer.json()
        number = int(served["trace"]["id"][1:])
        assert "suggestions" not in served["trace"]
        judgement: dict[str, Any] = {"verdict": "fail" if failed(number) else "pass"}
        if failed(number):
            judgement |= {"categories": ["wrong-fee"], "critique": "it is 5", "corrected_output": "The fee is 5 euros."}
        outcome = wheel.post(
            "/v1/annotations",
            {
                "entry_id": served["entry"]["id"],
                "lease_token": served["lease"]["token"],
                "annotator": annotator,
                "seconds": 12.5,
            }
            | judgement,
        )
        assert outcome["outcome"] in {"label", "waiting"}
        done += 1


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `thumbwheel` with these arguments in this process; what it printed."""

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["thumbwheel", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        return capsys.readouterr().out

    monkeypatch.chdir(tmp_path)
    return run


def test_the_wheel_turns_once(
    database_url: str, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = environment(database_url)
    for name in env.keys() - os.environ.keys():
        monkeypatch.setenv(name, env[name])
    key = run("key", "create", "--scopes", "ingest,read,annotate,admin", "--json", env=env)["secret_key"]
    (tmp_path / "codebook.yaml").write_text(CODEBOOK)
    with serving(env, tmp_path) as server:
        wheel = Wheel(server.url, key, env, tmp_path, command)
        wheel.command("codebook", "publish", "codebook.yaml")
        capture(wheel)

        drawn = wheel.post("/v1/draws", {"budget": BUDGET, "window": "7d", "seed": 1})
        assert len(drawn["entries"]) == BUDGET
        assert drawn["population"] == N_TRACES
        assert all(0 < entry["inclusion_probability"] <= 1 for entry in drawn["entries"])

        first = annotate(wheel, "ada")
        second = annotate(wheel, "ben")
        assert first == BUDGET
        doubled = sum(entry["purpose"] == "double" for entry in drawn["entries"])
        assert second == doubled

        labels = wheel.get("/v1/labels?limit=100")["items"]
        assert len(labels) == BUDGET
        n_failed = sum(label["verdict"] == "fail" for label in labels)
        assert n_failed == sum(failed(int(entry["trace_id"][1:])) for entry in drawn["entries"]) > 0

        wheel.command("close")
        golden = wheel.get("/v1/golden?limit=100")["items"]
        assert len(golden) == n_failed
        assert len(wheel.get("/v1/preferences?limit=100")["items"]) == n_failed
        seen = wheel.get(f"/v1/traces/{golden[0]['provenance']['trace_id']}")
        assert seen["label"]["verdict"] == "fail"
        assert seen["annotations"][0]["critique"] == "it is 5"
        assert {artifact["id"] for artifact in seen["artifacts"]} >= {golden[0]["id"]}

        wheel.command("export", "golden", "golden.jsonl")
        assert len((tmp_path / "golden.jsonl").read_text().splitlines()) == n_failed
        (tmp_path / "application.py").write_text(APPLICATION.format(fixed=False))
        gate = ("gate", "--target", "application:answer", "--golden", "golden.jsonl", "--junit", "junit.xml")
        wheel.process(*gate, code=1)
        assert "<failure" in (tmp_path / "junit.xml").read_text()
        (tmp_path / "application.py").write_text(APPLICATION.format(fixed=True))
        wheel.process(*gate)

        fix = json.loads(
            wheel.command("fix", "add", "--kind", "prompt", "--ref", "4f2c1e0", "--category", "wrong-fee", "--json")
        )
        wheel.command("fix", "ship", fix["id"])
        report = json.loads(wheel.command("report", "--json"))
        assert json.dumps(report)
        wheel.command("report", "--html", "report.html")
        assert "<html" in (tmp_path / "report.html").read_text()
        assert wheel.get("/v1/fixes")["items"][0]["shipped_at"]
        assert wheel.get("/v1/report")
