"""Privacy at the door: consent, then placeholders, then nothing of the original."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.capture.edit import hunks
from thumbwheel.capture.privacy import (
    ConsentMode,
    PrivacyRules,
    admit_signal,
    admit_trace,
    may_keep,
    pseudonym,
    scrub_text,
)
from thumbwheel.capture.scrubbing import Scrubbed
from thumbwheel.domain.signal import Edit, EditKind, Signal, SignalKind
from thumbwheel.domain.trace import Document, Json, ToolCall, Trace
from thumbwheel.ports import Found

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = b"a secret of this project"


class Marks:
    """Finds what the tests mark: words with @, words of digits after "phone", addresses that begin with www."""

    def find(self, text: str) -> Sequence[Found]:
        kinds = {"mail": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "url": "URL"}
        pattern = r"(?P<mail>\w+@\w+)|(?<=phone: )(?P<phone>\d+)|(?P<url>www\.\w+)"
        return [Found(kinds[m.lastgroup or ""], *m.span(m.lastgroup or "")) for m in re.finditer(pattern, text)]


class Broken:
    def find(self, text: str) -> Sequence[Found]:
        raise RuntimeError("no recogniser")


def a_trace(**fields: object) -> Trace:
    return Trace(**{"id": "t", "started_at": NOON, **fields})  # type: ignore[arg-type]


def a_signal(**fields: object) -> Signal:
    return Signal(**{"id": "s", "trace_id": "t", "kind": SignalKind.user_edit, "at": NOON, **fields})  # type: ignore[arg-type]


def admitted(trace: Trace, rules: PrivacyRules | None = None) -> Scrubbed[Trace]:
    return admit_trace(trace, rules=rules or PrivacyRules(), scrubber=Marks(), key=KEY)


def kept(signal: Signal, placeholders: dict[str, str] | None = None) -> Scrubbed[Signal]:
    scrubbed = admit_signal(signal, rules=PrivacyRules(), scrubber=Marks(), key=KEY, placeholders=placeholders)
    assert scrubbed is not None
    return scrubbed


def test_one_value_has_one_placeholder_everywhere_in_a_trace() -> None:
    trace = a_trace(
        name="for ann@x",
        tags=("ann@x", "vip"),
        input=[{"role": "user", "content": "I am ann@x, he is bo@x"}],
        output={"text": "Hello ANN@x"},
        documents=(Document(id="d-bo@x", content="bo@x lives"),),
        tool_calls=(ToolCall(name="mail", arguments={"to": "ann@x"}, result=["bo@x"]),),
        metadata={"bo@x": {"from": "ann@x"}},
    )
    scrubbed = admitted(trace)
    assert scrubbed.value.input == [{"role": "user", "content": "I am <EMAIL_1>, he is <EMAIL_2>"}]
    assert scrubbed.value.output == {"text": "Hello <EMAIL_1>"}
    assert scrubbed.value.documents == (Document(id="d-<EMAIL_2>", content="<EMAIL_2> lives"),)
    assert scrubbed.value.tool_calls[0].arguments == {"to": "<EMAIL_1>"}
    assert scrubbed.value.tool_calls[0].result == ["<EMAIL_2>"]
    assert scrubbed.value.metadata == {"<EMAIL_2>": {"from": "<EMAIL_1>"}}
    assert (scrubbed.value.name, scrubbed.value.tags) == ("for <EMAIL_1>", ("<EMAIL_1>", "vip"))
    assert scrubbed.counts == {"EMAIL_ADDRESS": 11}


def test_no_text_field_of_a_trace_or_signal_is_passed_over() -> None:
    """Every field that may hold free text is filled; ids that others refer to stay as they are."""
    trace = a_trace(
        name="a@b", category="a@b", session_id="a@b", user_id="a@b", tags=("a@b",), input="a@b", output={"a@b": ["a@b"]},
        documents=(Document(id="a@b", content="a@b"),), tool_calls=(ToolCall(name="f", arguments="a@b", result="a@b"),),
        metadata={"a@b": {"k": "a@b"}},
    )  # fmt: skip
    assert "a@b" not in json.dumps(asdict(admitted(trace).value), default=str)
    edit = Edit(original="a@b", edited="a@b c", hunks=(), kind=EditKind.none)
    signal = a_signal(comment="a@b", edit=edit, user_id="a@b", consent={"given": True, "by": "a@b"})
    assert "a@b" not in json.dumps(asdict(kept(signal).value), default=str)


def test_a_key_is_read_with_its_value_and_long_numbers_may_be_personal() -> None:
    trace = a_trace(
        input={"phone": "5550123", "phones": ["5550123"], "text": "5550123", "home_phone": 5550123, "count": 5550123}
    )
    assert admitted(trace).value.input == {
        "phone": "<PHONE_1>",
        "phones": ["5550123"],
        "text": "5550123",
        "home_phone": "<PHONE_1>",
        "count": 5550123,
    }


def test_types_to_keep_stay_and_are_not_counted() -> None:
    trace = a_trace(output="see www.site or ann@x")
    assert admitted(trace).value.output == "see www.site or <EMAIL_1>"
    assert admitted(trace).counts == {"EMAIL_ADDRESS": 1}
    everything = admitted(trace, PrivacyRules(keep=frozenset()))
    assert everything.value.output == "see <URL_1> or <EMAIL_1>"


def test_numbers_the_text_has_already_are_not_given_again() -> None:
    scrubbed = admitted(a_trace(input="ask ann@x", output="I wrote to <EMAIL_1> and <PHONE_7>"))
    assert scrubbed.value.input == "ask <EMAIL_2>"


def test_a_later_signal_goes_on_with_the_placeholders_of_its_trace() -> None:
    trace = admitted(a_trace(input="ann@x", output="bo@x"))
    signal = a_signal(edit=Edit(original="<EMAIL_2> answers", edited="cy@x answers bo@x", hunks=(), kind=EditKind.none))
    scrubbed = kept(signal, dict(trace.placeholders))
    assert scrubbed.value.edit is not None
    assert scrubbed.value.edit.edited == "<EMAIL_3> answers <EMAIL_2>"


def test_an_edit_that_changes_only_an_address_still_differs_when_scrubbed() -> None:
    signal = a_signal(edit=hunks("Write to ann@x.", "Write to bo@x."))
    edit = kept(signal).value.edit
    assert edit == hunks("Write to <EMAIL_1>.", "Write to <EMAIL_2>.")
    waiting = Edit(original=None, edited="bo@x", hunks=(), kind=EditKind.none)
    assert kept(a_signal(edit=waiting)).value.edit == Edit(
        original=None, edited="<EMAIL_1>", hunks=(), kind=EditKind.none
    )


def test_what_is_stored_of_a_placeholder_does_not_tell_the_value_without_the_key() -> None:
    one = admitted(a_trace(input="ann@x"))
    other = admit_trace(a_trace(input="ann@x"), rules=PrivacyRules(), scrubber=Marks(), key=b"other")
    assert one.placeholders != other.placeholders
    assert "ann" not in json.dumps(dict(one.placeholders))


def test_a_session_id_with_personal_data_becomes_a_pseudonym_that_still_groups() -> None:
    first, second = (admitted(a_trace(session_id="ann@x-7", input=text)).value.session_id for text in "ab")
    assert first == second
    assert first is not None
    assert first.startswith("s_")
    assert admitted(a_trace(session_id="session-7")).value.session_id == "session-7"


def test_user_ids_become_pseudonyms_unless_told_otherwise() -> None:
    assert admitted(a_trace(user_id="ann")).value.user_id == pseudonym("ann", KEY)
    assert kept(a_signal(user_id="ann")).value.user_id == pseudonym("ann", KEY)
    assert admitted(a_trace(user_id="ann"), PrivacyRules(pseudonymise=False)).value.user_id == "ann"
    assert admitted(a_trace()).value.user_id is None


@given(st.text(), st.text(), st.binary(max_size=200), st.binary(max_size=200))
def test_pseudonyms_are_stable_and_need_the_key(one: str, other: str, key: bytes, another: bytes) -> None:
    assert pseudonym(one, key) == pseudonym(one, key)
    assert re.fullmatch("u_[a-z2-7]{16}", pseudonym(one, key))
    if one != other:
        assert pseudonym(one, key) != pseudonym(other, key)
    if key != another:
        assert pseudonym(one, key) != pseudonym(one, another)


@pytest.mark.parametrize(
    ("mode", "unsaid", "yes", "no", "odd"),
    [
        (ConsentMode.none_needed, True, True, False, True),
        (ConsentMode.opt_in, False, True, False, False),
        (ConsentMode.opt_out, True, True, False, True),
    ],
)
def test_consent_modes(mode: ConsentMode, unsaid: bool, yes: bool, no: bool, odd: bool) -> None:
    assert may_keep(None, mode) is may_keep({}, mode) is unsaid
    assert may_keep({"given": True, "version": 3}, mode) is yes
    assert may_keep({"given": False}, mode) is no
    assert may_keep({"given": "yes"}, mode) is odd


def test_without_consent_nothing_is_read_or_kept() -> None:
    rules = PrivacyRules(consent=ConsentMode.opt_in)
    assert admit_signal(a_signal(comment="ann@x"), rules=rules, scrubber=Broken(), key=KEY) is None


def test_a_scrubber_that_fails_lets_nothing_through() -> None:
    with pytest.raises(RuntimeError):
        admit_trace(a_trace(input="x"), rules=PrivacyRules(), scrubber=Broken(), key=KEY)


def test_one_text_is_scrubbed_on_its_own() -> None:
    scrubbed = scrub_text("ann@x and www.site and ann@x", Marks())
    assert scrubbed.value == "<EMAIL_1> and <URL_1> and <EMAIL_1>"
    assert scrubbed.counts == {"EMAIL_ADDRESS": 2, "URL": 1}


plain = st.text(st.characters(exclude_characters="@", codec="utf-8"), max_size=20)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    max_leaves=10,
)


@given(values, values)
def test_a_trace_without_personal_data_is_unchanged(given_input: Json, output: Json) -> None:
    class Nothing:
        def find(self, text: str) -> Sequence[Found]:
            return []

    trace = a_trace(input=given_input, output=output, metadata={"k": output})
    scrubbed = admit_trace(trace, rules=PrivacyRules(), scrubber=Nothing(), key=KEY)
    assert scrubbed.value == trace
    assert scrubbed.counts == {}


@given(st.lists(st.sampled_from(["ann@x", "bo@x", "<EMAIL_1>", "<EMAIL_2>", " and ", "phone: 12", "é"]), max_size=12))
def test_scrubbing_twice_is_scrubbing_once(pieces: list[str]) -> None:
    once = scrub_text("".join(pieces), Marks()).value
    assert scrub_text(once, Marks()).value == once
