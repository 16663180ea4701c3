"""Commands of sources: what they ask of settings, what they say, how they end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from thumbwheel.config import read_settings

Command = Callable[..., Ran]

#: Where nobody listens.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _nobody_elses_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in ("LANGFUSE", "LANGSMITH", "LANGCHAIN", "PHOENIX", "MLFLOW_TRACKING"):
        for name in ("HOST", "BASE_URL", "PUBLIC_KEY", "SECRET_KEY", "ENDPOINT", "API_KEY", "URI", "TOKEN", "USERNAME"):
            monkeypatch.delenv(f"{tool}_{name}", raising=False)


@pytest.mark.parametrize(
    ("tool", "words"), [("langfuse", "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"), ("langsmith", "LANGSMITH_API_KEY")]
)
def test_a_tool_that_wants_a_key_says_where_it_is_looked_for(command: Command, tool: str, words: str) -> None:
    for verb in ("pull", "push"):
        ran = command(verb, tool)
        assert (ran.code, ran.out) == (2, "")
        assert words in ran.err


def test_a_tool_that_is_down_is_one_sentence(command: Command) -> None:
    ran = command("pull", "mlflow", "--url", NOWHERE)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith(f"thumbwheel: MLflow at {NOWHERE} does not answer: ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--since", "last week"], "neither a span like 7d nor a time"),
        (["--late", "soon"], "no span of time"),
        (["--url", "tool.test"], "'tool.test' is no address"),
    ],
)
def test_what_cannot_be_meant_is_named(command: Command, options: list[str], words: str) -> None:
    ran = command("pull", "phoenix", *options)
    assert ran.code == 2
    assert words in ran.err


def test_addresses_and_keys_are_found_where_the_tools_own_clients_look(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_settings().langfuse_url == "https://cloud.langfuse.com"
    monkeypatch.setenv("LANGFUSE_HOST", "http://old.test")
    assert read_settings().langfuse_url == "http://old.test"
    monkeypatch.setenv("LANGFUSE_BASE_URL", "http://new.test")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ann")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    settings = read_settings()
    assert settings.langfuse_url == "http://new.test"
    assert settings.mlflow_key is not None
    assert settings.mlflow_key.get_secret_value() == "ann:secret"
    (folder / "thumbwheel.toml").write_text('langfuse_url = "http://ours.test"\n')
    assert read_settings().langfuse_url == "http://ours.test"
    monkeypatch.setenv("THUMBWHEEL_LANGFUSE_URL", "http://first.test")
    assert read_settings().langfuse_url == "http://first.test"
