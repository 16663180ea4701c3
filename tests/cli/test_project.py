"""What a project chooses, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Ran

Command = Callable[..., Ran]


def holding(command: Command) -> dict[str, Any]:
    shown: dict[str, Any] = command("project", "show", "--json").json["holding"]
    return shown


def test_what_nobody_chose_is_the_installations(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("project", "show", "--json").json["chosen"] == {}
    assert holding(command)["pseudonymise"] is True
    assert holding(command)["scrub"] is True
    assert holding(command)["keep"] == ["URL"]
    monkeypatch.setenv("THUMBWHEEL_SCRUB", "off")
    monkeypatch.setenv("THUMBWHEEL_PSEUDONYMISE", "false")
    assert (holding(command)["scrub"], holding(command)["pseudonymise"]) == (False, False)
    assert "(default)" in command("project", "show").out


def test_a_project_chooses_and_takes_it_back(command: Command) -> None:
    arguments = ["--reason", "wrong", "--reason", "rude", "--origin", "https://app.example.com", "--no-pseudonymise"]
    arguments += ["--consent", "browser=opt_in", "--consent", "*=opt_out", "--phone-regions", "gb, fr", "--keep", ""]
    command("project", "set", *arguments)
    chosen = command("project", "set", "--no-scrub", "--json").json["chosen"]
    assert chosen == {
        "reasons": ["wrong", "rude"],
        "origins": ["https://app.example.com"],
        "pseudonymise": False,
        "consent": {"browser": "opt_in", "*": "opt_out"},
        "phone_regions": ["GB", "FR"],
        "keep": [],
        "scrub": False,
    }
    back = ["--consent", "browser=default", "--reset", "reasons", "--reset", "keep", "--scrub", "--json"]
    chosen = command("project", "set", *back).json["chosen"]
    assert chosen["consent"] == {"*": "opt_out"}
    assert chosen["scrub"] is True
    assert not {"reasons", "keep"} & set(chosen)
    assert "consent" not in command("project", "set", "--consent", "*=default", "--json").json["chosen"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--consent", "browser"], "CHANNEL=MODE"),
        (["--consent", "browser=maybe"], "consent mode"),
        (["--consent", "\n=opt_in"], "channel"),
        (["--phone-regions", "France"], "country"),
        (["--keep", "u r l"], "type"),
        (["--reason", "wrong", "--reason", "wrong"], "each once"),
        (["--reason", "\t"], "reason"),
        (["--reset", "nonsense"], "nonsense"),
        (["--origin", "nonsense"], "origin"),
    ],
)
def test_what_will_not_do_is_refused_and_nothing_changes(command: Command, arguments: list[str], said: str) -> None:
    ran = command("project", "set", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert command("project", "show", "--json").json["chosen"] == {}


def test_a_country_without_telephones_and_a_project_that_is_not_there(command: Command) -> None:
    assert command("project", "set", "--phone-regions", "XX").code == 3
    assert command("project", "set", "--project", "misspelt", "--scrub").code == 3
    assert command("project", "list", "--json").json == {"items": ["default"]}


def test_a_misspelt_project_is_told_and_not_made_by_asking(command: Command) -> None:
    for asked in (("report",), ("sample",), ("queue",), ("export", "golden", "-"), ("estimate",), ("golden", "list")):
        ran = command(*asked, "--project", "misspelt")
        assert (ran.code, ran.err) == (3, "thumbwheel: There is no project 'misspelt'. Known: none.\n")
    assert command("project", "list", "--json").json == {"items": []}
