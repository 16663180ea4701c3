"""Which pages may use publishable keys, from the command line."""

from __future__ import annotations

from collections.abc import Callable

from tests.cli.conftest import Ran


def test_origins_are_given_with_a_key_added_and_taken_away(command: Callable[..., Ran]) -> None:
    command("key", "create", "--origins", "https://a.example, HTTPS://B.example/", "--json")
    assert command("key", "origins", "--json").json == {
        "project": "default",
        "origins": ["https://a.example", "https://b.example"],
    }
    command("key", "create", "--origins", "https://b.example", "--json")
    command("key", "origins", "--add", "https://*.c.example", "--remove", "https://a.example")
    assert command("key", "origins").out.split() == ["https://b.example", "https://*.c.example"]


def test_what_is_no_origin_is_wrong_use(command: Callable[..., Ran]) -> None:
    command("key", "create", "--json")
    ran = command("key", "origins", "--add", "app.example.com/path")
    assert (ran.code, "Traceback" in ran.err) == (2, False)
    assert "No page of another origin" in command("key", "origins").out
