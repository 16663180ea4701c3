from collections import Counter
from importlib.resources import files
from random import Random

import pytest
import yaml

from thumbwheel.annotate import codebook
from thumbwheel.demo.behaviour import corrected, reads_like_refusal, tidied
from thumbwheel.demo.category import CATEGORIES, category_of
from thumbwheel.demo.corpus import SUPPORT, recorded_verdicts, texts
from thumbwheel.demo.replay import DISAGREEMENT, recorded_annotation, second_annotation
from thumbwheel.errors import NotHere

PACKAGE = files("thumbwheel.demo")
BY_ID = {text.trace_id: text for text in texts()}
RECORDED = [text for text in texts() if text.verdict.origin == "recorded"]
HANDWRITTEN = [text for text in texts() if text.verdict.origin == "authored"]


def the_codebook():
    return codebook.check(yaml.safe_load((PACKAGE / "codebook.yaml").read_text("utf-8")))


def test_the_recorded_part_is_what_its_authors_published():
    assert (len(RECORDED), sum(text.verdict.failed for text in RECORDED)) == (2223, 404)


def test_the_packaged_data_is_small_and_carries_its_licence():
    data = PACKAGE / "data"
    assert len((data / "halueval_general.jsonl.gz").read_bytes()) <= 1_000_000
    licence = (data / "halueval_LICENSE.txt").read_text("utf-8")
    assert "MIT License" in licence
    assert "RUCAIBox" in licence


def test_hand_written_traces_show_what_a_page_must_cope_with():
    outputs = "\n".join(text.answer for text in HANDWRITTEN)
    inputs = str([text.content["input"] for text in HANDWRITTEN])
    assert 20 <= len(HANDWRITTEN) <= 30
    assert 0.3 < sum(text.verdict.failed for text in HANDWRITTEN) / len(HANDWRITTEN) < 0.7
    assert "```python" in outputs
    assert "|---|" in outputs
    assert "🚴" in outputs
    assert "<script>" in inputs
    assert any("\u0600" <= char <= "\u06ff" for char in outputs)
    assert any("\u0590" <= char <= "\u05ff" for char in inputs)
    assert max(len(text.answer) for text in HANDWRITTEN) > 3_000
    assert sum("documents" in text.content for text in HANDWRITTEN) > 10
    assert sum("tool_calls" in text.content for text in HANDWRITTEN) >= 5


@pytest.mark.parametrize("text", HANDWRITTEN, ids=lambda text: text.trace_id)
def test_a_hand_written_verdict_is_complete(text):
    verdict = text.verdict
    assert set(verdict.categories) <= {category.id for category in the_codebook().categories}
    assert verdict.failed == bool(verdict.categories) == bool(verdict.critique) == bool(verdict.corrected_output)
    assert all(span in text.answer for span in verdict.spans)
    assert set(verdict.documents) == {hit["id"] for hit in text.content.get("documents", [])}


@pytest.mark.parametrize("text", HANDWRITTEN, ids=lambda text: text.trace_id)
def test_a_hand_written_conversation_ends_with_the_user(text):
    roles = [message["role"] for message in text.content["input"]]
    assert roles[0] == "system"
    assert roles[1::2] == ["user"] * (len(roles) // 2)
    assert roles[-1] == "user"


@pytest.mark.parametrize(
    ("query", "category"),
    [
        ("Write a function that returns the sum of a list.", "code"),
        ("Calculate the area of a circle with radius 4", "maths"),
        ("What is 3 + 4?", "maths"),
        ("Translate this sentence into French.\nCalculate your taxes.", "language"),
        ("Summarize the article about trees.", "summary"),
        ("Rewrite the sentence in the passive voice.", "rewriting"),
        ("Write a poem about the sea.", "writing"),
        ("Compare cats and dogs.", "analysis"),
        ("Name three benefits of sleep.", "lists"),
        ("WHY is the sky blue?", "facts"),
        ("Design a logo", "other"),
        ("", "other"),
        ("Write a 70-100 words story", "writing"),
    ],
)
def test_a_query_has_the_category_its_first_line_asks_for(query, category):
    assert category_of(query) == category


def test_categories_are_skewed_and_none_is_empty():
    sizes = Counter(text.category for text in texts())
    assert set(sizes) == {*CATEGORIES, SUPPORT}
    assert min(sizes.values()) >= 20
    assert max(sizes.values()) > 10 * min(sizes.values())


def test_a_refusal_is_known_by_how_it_opens():
    assert reads_like_refusal("I'm sorry, but I cannot browse the internet.")
    assert reads_like_refusal("As an AI language model, I have no opinions.")
    assert not reads_like_refusal("Paris is the capital of France. " * 10 + "I'm unable to say more.")


def test_a_corrected_answer_lacks_what_was_marked():
    marked = next(
        text for text in RECORDED if text.verdict.spans and text.verdict.spans[0] in text.answer and corrected(text)
    )
    edited = corrected(marked)
    assert edited is not None
    assert marked.verdict.spans[0] not in edited
    assert edited != marked.answer


def test_an_answer_that_was_marked_whole_has_no_corrected_form():
    whole = next(
        text for text in RECORDED if text.verdict.spans and text.verdict.spans[0].strip() == text.answer.strip()
    )
    assert corrected(whole) is None


def test_tidying_changes_form_only():
    answer = "1. First point of this list\n2. Second point of this list\n3. Third"
    tidy = tidied(answer, Random(0))
    assert tidy == "- First point of this list\n- Second point of this list\n- Third"
    assert tidied("Nothing here to tidy, whatever a user may try to do about it.", Random(0)) is None


def test_the_recorded_annotation_repeats_the_verdict_and_quotes_the_span():
    said = recorded_annotation("halueval-0012")
    assert (said["verdict"], said["categories"]) == ("fail", ["hallucination"])
    assert said["critique"] is not None
    assert "I do not have the ability to create visual charts" in said["critique"]
    assert recorded_annotation("halueval-0001") == {"verdict": "pass", "categories": [], "critique": None}


def test_a_remark_is_not_passed_off_as_a_quotation():
    remarked = next(text for text in RECORDED if text.verdict.spans == ("No type",))
    assert recorded_annotation(remarked.trace_id)["critique"] == "Annotator's remark: “No type”"


def test_every_failure_has_a_category_of_the_codebook_and_a_critique():
    known = {category.id for category in the_codebook().categories}
    for trace_id, verdict in recorded_verdicts().items():
        said = recorded_annotation(trace_id)
        assert (said["verdict"] == "fail") == verdict.failed
        assert set(said["categories"]) <= known
        if verdict.failed:
            assert said["categories"]
            assert said["critique"]


def test_an_authored_failure_brings_its_right_answer_and_documents():
    said = recorded_annotation("support-02")
    assert said["categories"] == ["ignored_documents"]
    assert "30 days" in said["corrected_output"]
    assert said["documents"] == {"returns": True}


def test_the_second_reviewer_disagrees_as_often_as_documented():
    flipped = [
        recorded_annotation(trace_id)["verdict"] != second_annotation(trace_id, seed)["verdict"]
        for trace_id in BY_ID
        for seed in range(3)
    ]
    assert abs(sum(flipped) / len(flipped) - DISAGREEMENT) < 0.01


def test_the_second_reviewer_answers_alike_whenever_asked():
    once = {trace_id: second_annotation(trace_id, 5) for trace_id in BY_ID}
    again = {trace_id: second_annotation(trace_id, 5) for trace_id in reversed(BY_ID)}
    other = {trace_id: second_annotation(trace_id, 6) for trace_id in BY_ID}
    assert once == again
    assert once != other


def test_a_simulated_change_of_mind_says_so():
    changed = next(
        trace_id
        for trace_id, text in BY_ID.items()
        if not text.verdict.failed and second_annotation(trace_id, 0)["verdict"] == "fail"
    )
    said = second_annotation(changed, 0)
    assert said["categories"] == ["other"]
    assert said["critique"] is not None
    assert "Simulated" in said["critique"]


def test_a_trace_that_is_not_the_demos_has_no_recorded_annotation():
    with pytest.raises(NotHere):
        recorded_annotation("mine")
    with pytest.raises(NotHere):
        second_annotation("mine", 0)
