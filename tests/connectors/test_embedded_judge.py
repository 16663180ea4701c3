import math
import random
from datetime import UTC, datetime
from importlib import import_module

import numpy as np
import pytest

from thumbwheel.connectors.embedded_judge import ENOUGH, MOST_GUESSES, EmbeddedJudge, _used
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import Invalid
from thumbwheel.ports import Case, Example, FitJudge, Judge

SILENT = -2.9
GOOD = "The invoice total is 40 euros and it was paid on Monday."
BAD = "I am sorry, as a model I cannot open the file you mention."


def a_case(number: int, output: str, *, prior: float = SILENT, category: str | None = "billing") -> Case:
    return Case(
        trace_id=f"t{number}",
        input=f"question {number}",
        output=output,
        category=category,
        prior_log_odds=prior,
    )


def labelled(n: int, *, share_failed: float = 0.3, weight: float = 1.0) -> list[Example]:
    """Failures read like BAD, passes like GOOD, each with words of its own."""
    rng = random.Random(4)
    examples = []
    for number in range(n):
        failed = number < share_failed * n
        words = " ".join(rng.sample(["alpha", "beta", "gamma", "delta", "epsilon"], 3))
        examples.append(
            Example(case=a_case(number, f"{BAD if failed else GOOD} {words}"), failed=failed, weight=weight)
        )
    return examples


def unlabelled(examples: list[Example]) -> list[Example]:
    return [Example(case=example.case) for example in examples]


def one(judge: Judge, case: Case) -> float:
    return judge.score([case])[0]


def test_it_is_a_judge_and_can_be_handed_over_as_one():
    fit: FitJudge = EmbeddedJudge.fit
    judge: Judge = fit(labelled(40), 3)
    assert judge.name.startswith("embedded-")
    assert judge.name.endswith("@codebook-3")


def test_without_any_example_the_answer_is_the_priors():
    judge = EmbeddedJudge.fit([], None)
    assert judge.name.endswith("@no-codebook")
    assert judge.score([a_case(1, GOOD, prior=p) for p in (-2.0, 0.0, 2.0)]) == pytest.approx(
        [1 / (1 + math.exp(2)), 0.5, 1 / (1 + math.exp(-2))]
    )


def test_no_case_no_answer():
    assert EmbeddedJudge.fit(labelled(40), 1).score([]) == []


def test_it_learns_from_labels_what_failing_answers_look_like():
    judge = EmbeddedJudge.fit(labelled(200), 1)
    assert one(judge, a_case(900, BAD)) > 0.6
    assert one(judge, a_case(901, GOOD)) < 0.2


def test_before_labels_it_learns_from_signals_and_speaks_about_silent_traces():
    complained = [
        Example(case=a_case(i, BAD if i % 4 == 0 else GOOD, prior=1.5 if i % 8 == 0 else SILENT)) for i in range(400)
    ]
    judge = EmbeddedJudge.fit(complained, None)
    assert one(judge, a_case(900, BAD)) > one(judge, a_case(901, GOOD))


def test_signals_of_the_trace_itself_count():
    judge = EmbeddedJudge.fit(labelled(120), 1)
    assert one(judge, a_case(900, GOOD, prior=2.0)) > one(judge, a_case(900, GOOD, prior=SILENT))


def test_labels_that_are_too_few_do_not_train_the_text():
    """Fewer than ENOUGH labels move the calibration only: which of two silent answers ranks higher stays."""
    few = labelled(ENOUGH - 1, share_failed=0.5)
    judge = EmbeddedJudge.fit(few, 1)
    assert one(judge, a_case(900, BAD)) == pytest.approx(one(judge, a_case(900, GOOD)), abs=0.02)
    enough = EmbeddedJudge.fit(labelled(ENOUGH, share_failed=0.5), 1)
    assert one(enough, a_case(900, BAD)) > one(enough, a_case(900, GOOD)) + 0.05


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_labels_of_one_verdict_alone_do_not_train_the_text(share):
    judge = EmbeddedJudge.fit(labelled(80, share_failed=share), 1)
    silent = one(judge, a_case(900, GOOD))
    assert (silent > 0.5) == bool(share)
    assert one(judge, a_case(900, BAD)) == pytest.approx(silent, abs=0.02)


def test_answers_are_on_the_base_rate_of_the_labels():
    """Text that tells nothing, failing at random: the mean answer is the labels' rate, not the prior's 5 %."""
    rng = random.Random(1)
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    cases = [a_case(i, " ".join(rng.choices(words, k=12))) for i in range(900)]
    examples = [Example(case=case, failed=rng.random() < 0.3) for case in cases[:500]]
    answers = EmbeddedJudge.fit(examples, 1).score(cases[500:])
    assert np.mean(answers) == pytest.approx(0.3, abs=0.06)


def test_weights_undo_a_draw_that_preferred_failures():
    """Failures drawn four times as often: with 1/pi the answers return to the true rate of 20 %."""
    rng = random.Random(2)
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    examples = []
    for number in range(3000):
        failed = rng.random() < 0.2
        chance = 0.4 if failed else 0.1
        if rng.random() < chance:
            case = a_case(number, " ".join(rng.choices(words, k=12)))
            examples.append(Example(case=case, failed=failed, weight=1 / chance))
    fresh = [a_case(10_000 + i, " ".join(rng.choices(words, k=12))) for i in range(300)]
    flat = [Example(case=example.case, failed=example.failed) for example in examples]
    assert np.mean(EmbeddedJudge.fit(examples, 1).score(fresh)) == pytest.approx(0.2, abs=0.06)
    assert np.mean(EmbeddedJudge.fit(flat, 1).score(fresh)) > 0.4


def test_the_scale_of_the_weights_does_not_matter():
    case = a_case(900, BAD)
    assert one(EmbeddedJudge.fit(labelled(120), 1), case) == pytest.approx(
        one(EmbeddedJudge.fit(labelled(120, weight=250.0), 1), case)
    )


def test_the_order_of_the_examples_does_not_matter():
    examples = labelled(80)
    shuffled = random.Random(0).sample(examples, len(examples))
    first, second = EmbeddedJudge.fit(examples, 1), EmbeddedJudge.fit(shuffled, 1)
    cases = [example.case for example in examples]
    assert first.name == second.name
    assert first.score(cases) == second.score(cases)


def test_its_name_changes_with_whatever_it_learned_from_and_with_the_codebook():
    examples = labelled(40)
    relabelled = [Example(case=examples[0].case, failed=not examples[0].failed), *examples[1:]]
    names = {
        EmbeddedJudge.fit(examples, 1).name,
        EmbeddedJudge.fit(examples, 2).name,
        EmbeddedJudge.fit(examples[1:], 1).name,
        EmbeddedJudge.fit(relabelled, 1).name,
        EmbeddedJudge.fit(labelled(40, weight=2.0), 1).name,
        EmbeddedJudge.fit(unlabelled(examples), 1).name,
    }
    assert len(names) == 6


def test_every_answer_is_a_probability_whatever_the_text():
    judge = EmbeddedJudge.fit(labelled(120), 1)
    odd = ["", " \n ", "\x00\ud800", "ضمان البطارية", "🚴" * 5000, "word " * 50_000, "7" * 3000, "<script>" * 100]
    cases = [a_case(i, text, category=None) for i, text in enumerate(odd)]
    cases += [a_case(90, GOOD, prior=1e6), a_case(91, GOOD, prior=-1e6), a_case(92, GOOD, category="never seen")]
    assert all(0 < answer < 1 for answer in judge.score(cases))


def test_the_end_of_a_long_answer_is_read_and_its_middle_is_not():
    judge = EmbeddedJudge.fit(labelled(200), 1)
    filler = "neutral " * 2000
    plain = one(judge, a_case(1, filler + filler))
    assert one(judge, a_case(2, f"{filler}{BAD}{filler}")) == pytest.approx(plain, abs=0.01)
    assert one(judge, a_case(3, f"{filler}{filler}{BAD}")) > plain + 0.01


def test_of_many_unlabelled_traces_those_with_signals_are_kept_and_every_label():
    quiet = [Example(case=a_case(i, GOOD)) for i in range(3 * MOST_GUESSES)]
    loud = [Example(case=a_case(100_000 + i, BAD, prior=2.0)) for i in range(50)]
    labels = [Example(case=a_case(200_000 + i, GOOD), failed=False) for i in range(50)]
    used = {example.case.trace_id for example in _used([*quiet, *loud, *labels])}
    assert len(used) == MOST_GUESSES + 50
    assert {example.case.trace_id for example in (*loud, *labels)} <= used


@pytest.mark.parametrize(
    "example",
    [
        Example(case=a_case(1, GOOD), failed=True, weight=0.0),
        Example(case=a_case(1, GOOD), failed=True, weight=-1.0),
        Example(case=a_case(1, GOOD), failed=True, weight=math.inf),
        Example(case=a_case(1, GOOD), failed=True, weight=math.nan),
        Example(case=a_case(1, GOOD, prior=math.nan)),
    ],
)
def test_weights_and_priors_that_mean_nothing_are_refused(example):
    with pytest.raises(Invalid, match="t1"):
        EmbeddedJudge.fit([example], 1)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("plain", "plain"),
        (None, ""),
        ([{"role": "system", "content": "secret rules"}, {"role": "user", "content": "hello"}], "hello"),
        ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "a\n\nb"),
        ({"role": "user", "content": [{"type": "text", "text": "part"}]}, "part"),
        ({"query": "ä"}, '{"query": "ä"}'),
        (7, "7"),
    ],
)
def test_a_case_reads_a_trace_as_a_person_would(value, read):
    trace = Trace(id="t", started_at=datetime(2026, 1, 1, tzinfo=UTC), category="c", input=value, output=value)
    case = Case.of(trace, prior_log_odds=-1.0)
    assert (case.input, case.output, case.category, case.prior_log_odds) == (read, read, "c", -1.0)


def test_importing_it_does_not_import_scikit_learn():
    source = import_module("thumbwheel.connectors.embedded_judge").__dict__
    features = import_module("thumbwheel.connectors.text_features").__dict__
    modules = {getattr(value, "__name__", "") for value in (*source.values(), *features.values())}
    assert not any(name.startswith(("sklearn", "scipy")) for name in modules)
