"""`thumbwheel estimate`: from a file without a store, and over a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Command = Callable[..., Ran]

TEN = """item,failed,inclusion_probability,stratum,judge
0,1,1,,0.6
1,1,.5,,0.5
2,0,.5,,0.3
3,0,.25,,.2
4,1,.2,,.2
5,0,.1,,.1
6,0,.05,,.05
7,0,.05,,.04
8,0,.04,,.03
9,0,.04,,.02
"""


@pytest.fixture
def ten(folder: Path) -> Path:
    path = folder / "ten.csv"
    path.write_text(TEN)
    return path


def test_a_file_needs_no_store(command: Command, ten: Path, folder: Path) -> None:
    ran = command("estimate", "--from", str(ten), "--population", "100", "--json")
    assert ran.code == 0
    assert ran.json["failure_rate"] == pytest.approx(0.070175, abs=1e-6)
    assert ran.json["n_labels"] == 10
    assert not (folder / "thumbwheel.db").exists()
    judged = command("estimate", "--from", str(ten), "--population", "100", "--judge-sum", "7", "--json").json
    assert judged["interval"] == pytest.approx([0.025472, 0.176168], abs=1e-6)


def test_a_file_of_the_whole_population_gives_the_judges_sum_itself(command: Command, folder: Path) -> None:
    rows = [*TEN.splitlines(), *(f"{at},,0.02,,0.05" for at in range(10, 100))]
    path = folder / "all.csv"
    path.write_text("\r\n".join(rows))
    told = command("estimate", "--from", str(path), "--population", "100", "--json").json
    assert (told["method"], told["n_labels"]) == ("difference", 10)


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        (TEN, (), "--population"),
        (TEN, ("--population", "5"), "10 labels from a population of 5"),
        ("item,failed\n1,1\n", ("--population", "5"), "inclusion_probability"),
        ("item,failed,inclusion_probability\n1,2,1\n", ("--population", "5"), "Row 1"),
        ("", ("--population", "5"), "item, failed"),
    ],
)
def test_a_file_that_cannot_be_used_is_wrong_use_in_one_sentence(
    command: Command, folder: Path, text: str, arguments: tuple[str, ...], said: str
) -> None:
    path = folder / "labels.csv"
    path.write_text(text)
    ran = command("estimate", "--from", str(path), *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_file_that_is_not_there(command: Command) -> None:
    ran = command("estimate", "--from", "nowhere.csv", "--population", "5")
    assert (ran.code, "nowhere.csv" in ran.err) == (2, True)


def test_an_empty_store_says_how_many_labels_it_needs(command: Command) -> None:
    told = command("estimate", "--json", "--by-category", "--against-previous").json
    assert (told["failure_rate"], told["change"]) == (None, None)
    assert told["needs"]["labels"] == 10
    assert "not enough labels: 0 of 10" in command("estimate").out
    assert "no draw has looked at traces of this window" in command("estimate").out


def test_a_window_of_no_length_is_refused(command: Command) -> None:
    refused = command("estimate", "--window", "0d")
    assert (refused.code, "A window ends after it starts" in refused.err) == (2, True)
