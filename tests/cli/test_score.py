"""What other tools' scores are called and mean, from the command line."""

from __future__ import annotations

from collections.abc import Callable

from tests.cli.conftest import Ran
from tests.conftest import NOW
from tests.factories import a_trace
from thumbwheel.app import Wheel
from thumbwheel.domain.score import Score
from thumbwheel.services.capture import Work


def test_a_rule_changes_what_came_and_can_be_taken_back(command: Callable[..., Ran], store: Wheel) -> None:
    project = store.project("default")
    scores = [
        Score(id=f"s{stars}", name="stars", trace_id="trace-1", value=float(stars), at=NOW, family="langfuse")
        for stars in (2, 5)
    ]
    store.capture.keep_now(Work(project, traces=[(a_trace(started_at=NOW), 1)], scores=scores))

    def ratings() -> list[str]:
        return sorted(str(signal.rating) for signal in store.capture.get(project, "trace-1").signals)

    assert ratings() == ["up", "up"]
    set_rule = ("score", "rule", "stars", "--as", "rating", "--low", "1", "--high", "5", "--json")
    assert command(*set_rule).json == {
        "name": "stars",
        "rule": {"as": "rating", "low": 1.0, "high": 5.0},
        "read_again": 2,
    }
    assert ratings() == ["down", "up"]
    (listed,) = command("score", "list", "--json").json["items"]
    assert (listed["name"], listed["n"], listed["rule"]["high"]) == ("stars", 2, 5.0)
    assert "stars" in command("score", "list").out
    assert command("score", "rule", "stars", "--forget").code == 0
    assert ratings() == ["up", "up"]


def test_a_rule_that_means_nothing_is_refused(command: Callable[..., Ran], store: Wheel) -> None:
    for wrong in (("--as", "opinion"), ("--low", "1", "--high", "1"), ("--value", "rude")):
        ran = command("score", "rule", "tone", *wrong)
        assert ran.code == 2
        assert len(ran.err.strip().splitlines()) == 1
    assert command("score", "rule", "tone", "--as", "reason", "--value", "rude=unsafe").code == 0
    assert store.projects.chosen(store.project("default"))["scores"] == {
        "tone": {"as": "reason", "values": {"rude": "unsafe"}}
    }
