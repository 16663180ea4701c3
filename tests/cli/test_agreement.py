"""`thumbwheel agreement --from`: published tables through the command."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Command = Callable[..., Ran]

#: Krippendorff's four coders of twelve units (2004, chapter 11).
CODERS = {
    "A": "1 2 3 3 2 1 4 1 2 . . .",
    "B": "1 2 3 3 2 2 4 1 2 5 . 3",
    "C": ". 3 3 3 2 3 4 2 2 5 1 .",
    "D": "1 2 3 3 2 4 4 1 2 5 1 .",
}
#: Two raters of fifty items, as [[20, 5], [10, 15]].
FIFTY = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15


def a_file(folder: Path, rows: list[tuple[str, str, str]]) -> str:
    path = folder / "ratings.csv"
    path.write_text("item,rater,value\n" + "".join(",".join(row) + "\n" for row in rows))
    return str(path)


def twice(pairs: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    return [
        row for item, (ann, ben) in enumerate(pairs) for row in ((f"i{item}", "ann", ann), (f"i{item}", "ben", ben))
    ]


@pytest.fixture
def krippendorff(folder: Path) -> str:
    rows = [(str(item), coder, value) for coder, told in CODERS.items() for item, value in enumerate(told.split())]
    return a_file(folder, [(item, coder, "" if value == "." else value) for item, coder, value in rows])


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107)])
def test_krippendorffs_own_example(command: Command, krippendorff: str, level: str, alpha: float) -> None:
    told = command("agreement", "--from", krippendorff, "--level", level, "--json").json
    assert (told["n_items"], told["n_raters"], told["n_ratings"]) == (12, 4, 41)
    assert told["krippendorff_alpha"] == pytest.approx(alpha, abs=1e-6)
    low, high = told["intervals"]["krippendorff_alpha"]
    assert low < alpha < high
    assert "equally many" in told["fleiss_kappa"]["undefined"]
    assert set(told["cohen_kappa"]) == {"A|B", "A|C", "A|D", "B|C", "B|D", "C|D"}


def test_two_raters_by_every_coefficient(command: Command, folder: Path) -> None:
    told = command("agreement", "--from", a_file(folder, twice(FIFTY)), "--json").json
    assert told["percent_agreement"] == pytest.approx(0.7)
    assert told["cohen_kappa"] == {"ann|ben": pytest.approx(0.4)}
    assert told["intervals"]["cohen_kappa"]["ann|ben"] == pytest.approx([0.1269, 0.6138], abs=1e-4)
    assert told["gwet_ac1"] == pytest.approx(0.405941, abs=1e-6)
    assert told["krippendorff_alpha"] == pytest.approx(0.4)
    assert {value: one["n_ratings"] for value, one in told["per_category"].items()} == {"no": 45, "yes": 55}


def test_what_does_not_exist_says_why(command: Command, folder: Path) -> None:
    told = command("agreement", "--from", a_file(folder, twice([("yes", "yes")] * 10)), "--json").json
    assert told["percent_agreement"] == 1
    for name in ("krippendorff_alpha", "fleiss_kappa", "gwet_ac1"):
        assert "same value" in told[name]["undefined"]
    assert "same label" in told["cohen_kappa"]["ann|ben"]["undefined"]


def test_words_in_an_order(command: Command, folder: Path) -> None:
    rows = twice([("bad", "fair"), ("fair", "fair"), ("good", "good"), ("bad", "bad")])
    told = command(
        "agreement", "--from", a_file(folder, rows), "--level", "ordinal", "--order", "bad,fair,good", "--json"
    )
    assert told.json["cohen_kappa"]["ann|ben"] == pytest.approx(1 - 0.125 / 0.4375)
    assert "95 %" in command("agreement", "--from", a_file(folder, rows)).out


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([("a", "ann", "bad")], ["--level", "ordinal"], "--order"),
        ([("a", "ann", "bad")], ["--level", "interval"], "no number"),
        ([("a", "ann", "poor")], ["--level", "ordinal", "--order", "bad,good"], "not on the scale"),
        ([("a", "ann", "1"), ("a", "ann", "2")], [], "Row 2: ann has rated a before"),
        ([("a", "", "1")], [], "Row 1 has no rater"),
    ],
)
def test_what_cannot_be_read_is_said(
    command: Command, folder: Path, rows: list[tuple[str, str, str]], options: list[str], said: str
) -> None:
    ran = command("agreement", "--from", a_file(folder, rows), *options)
    assert ran.code == 2
    assert said in ran.err


def test_a_value_is_called_what_the_file_calls_it(command: Command, folder: Path) -> None:
    file = a_file(folder, twice([("1", "2"), ("2", "2.0"), ("3", "1")]))
    told = command("agreement", "--from", file, "--level", "ordinal", "--json").json
    assert list(told["per_category"]) == ["1", "2", "3"]


def test_what_is_no_text_is_not_read_as_some_other(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = b"item,rater,value\n1,ann,\xff\n1,ben,x\n"
    (folder / "latin1.csv").write_bytes(wrong)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(wrong), "utf-8", "surrogateescape"))
    for source, named in (("latin1.csv", "latin1.csv"), ("-", "Standard input")):
        ran = command("agreement", "--from", source)
        assert (ran.code, f"{named} is not UTF-8 text." in ran.err) == (2, True)
