import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest

from thumbwheel.connectors import native
from thumbwheel.demo.corpus import SUPPORT, recorded_verdicts, texts
from thumbwheel.demo.week import REGRESSED, RELEASES, released_at, week
from thumbwheel.errors import Invalid

NOW = datetime(2026, 11, 19, 9, 30, tzinfo=UTC)  # a Thursday morning
NEGATIVE = {"implicit_regenerate", "implicit_clarification", "implicit_abandonment", "user_reason", "user_edit"}


@cache
def made(seed: int = 1) -> Any:
    return week(NOW, seed)


def when(text) -> datetime:
    return datetime.fromisoformat(text)


def share_failed(signals, *, kind, value=None) -> float:
    verdicts = recorded_verdicts()
    hit = [verdicts[s["trace_id"]].failed for s in signals if s["kind"] == kind and s.get("value") == value]
    return sum(hit) / len(hit)


def test_the_same_moment_and_seed_give_the_same_week():
    assert week(NOW, 1) == made(1)


def test_another_seed_gives_another_week_of_the_same_texts():
    traces, signals = made(2)
    assert {t["id"] for t in traces} == {t["id"] for t in made(1)[0]}
    assert [t["started_at"] for t in traces] != [t["started_at"] for t in made(1)[0]]
    assert signals != made(1)[1]


def test_a_week_may_be_changed_without_changing_the_next_one():
    traces: Any = week(NOW, 1)[0]
    for trace in traces:
        trace["tags"].append("mine")
        trace["metadata"].clear()
    assert week(NOW, 1) == made(1)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(Invalid):
        week(NOW.replace(tzinfo=None), 1)


def test_a_moment_is_the_same_in_every_zone():
    assert week(NOW.astimezone(timezone(timedelta(hours=9))), 1) == made(1)


def test_every_text_is_asked_exactly_once():
    traces, _ = made()
    assert Counter(t["id"] for t in traces) == Counter(text.trace_id for text in texts())
    assert len(traces) == 2249


@pytest.mark.parametrize("seed", range(4))
def test_every_time_lies_in_the_week_and_every_signal_after_its_answer(seed):
    traces, signals = made(seed)
    answered = {t["id"]: when(t["ended_at"]) for t in traces}
    for trace in traces:
        assert NOW - timedelta(days=7) <= when(trace["started_at"]) < when(trace["ended_at"]) < NOW
    for signal in signals:
        assert answered[signal["trace_id"]] <= when(signal["at"]) < NOW


def test_traces_and_signals_come_in_order_of_time():
    traces, signals = made()
    assert [t["started_at"] for t in traces] == sorted((t["started_at"] for t in traces), key=when)
    assert [s["at"] for s in signals] == sorted((s["at"] for s in signals), key=when)


def test_the_native_door_takes_every_trace_and_signal():
    traces, signals = made()
    for trace in traces:
        native.trace(native.parse(json.dumps(trace).encode()), NOW)
    for signal in signals:
        native.signal(native.parse(json.dumps(signal).encode()), NOW, "fresh")
    assert len({s["id"] for s in signals}) == len(signals)


def test_no_trace_carries_what_people_recorded():
    allowed = {
        "id", "started_at", "ended_at", "name", "category", "user_id", "session_id", "model", "prompt_version",
        "release", "tags", "input", "output", "documents", "tool_calls", "metadata",
    }  # fmt: skip
    verdicts = recorded_verdicts()
    by_outcome: dict[bool, set[str]] = {True: set(), False: set()}
    for trace in made()[0]:
        assert set(trace) <= allowed
        assert set(trace["metadata"]) == {"source", "behaviour"}
        assert all(set(hit) == {"id", "content", "score", "rank"} for hit in trace.get("documents", []))
        by_outcome[verdicts[trace["id"]].failed].update(trace["tags"])
    assert by_outcome[True] == by_outcome[False] == {"halueval", "handwritten"}


def test_only_hand_written_traces_have_documents_and_tool_calls():
    with_material = [t for t in made()[0] if "documents" in t or "tool_calls" in t]
    assert with_material
    assert all(t["tags"] == ["handwritten"] and t["category"] == SUPPORT for t in with_material)


def test_traffic_follows_the_hour_and_the_weekday():
    hours = Counter(when(t["started_at"]).hour for t in made()[0])
    days = Counter(when(t["started_at"]).strftime("%a") for t in made()[0])
    assert sum(hours[h] for h in range(9, 18)) > 8 * sum(hours[h] for h in range(6))
    assert max(days["Sat"], days["Sun"]) < 0.75 * min(days[d] for d in ("Mon", "Tue", "Wed"))


def test_a_few_users_ask_much_and_many_ask_little():
    users = Counter(t["user_id"] for t in made()[0])
    top = sum(count for _, count in users.most_common(len(users) // 10))
    assert 330 <= len(users) <= 470
    assert top > 0.3 * sum(users.values())


def test_a_session_is_one_users_and_short():
    sessions: dict[str, list[Any]] = {}
    for trace in made()[0]:
        sessions.setdefault(trace["session_id"], []).append(trace)
    assert all(len({t["user_id"] for t in session}) == 1 for session in sessions.values())
    assert max(map(len, sessions.values())) <= 8
    assert any(len(session) > 1 for session in sessions.values())


def test_a_release_goes_out_in_mid_week_and_makes_one_category_worse():
    traces, _ = made()
    older, newer = RELEASES
    released = released_at(NOW)
    assert NOW - timedelta(days=5) < released < NOW - timedelta(days=2)
    assert all(t["release"] == newer for t in traces if when(t["started_at"]) >= released)
    assert all(t["release"] == older for t in traces if when(t["started_at"]) < released - timedelta(hours=12))
    verdicts = recorded_verdicts()

    def rate(category, release):
        hit = [verdicts[t["id"]].failed for t in traces if (t["category"], t["release"]) == (category, release)]
        return sum(hit) / len(hit)

    assert rate(REGRESSED, newer) > 2 * rate(REGRESSED, older)
    assert abs(rate("lists", newer) - rate("lists", older)) < 0.1


def test_about_one_trace_in_twenty_is_rated():
    shares = []
    for seed in range(6):
        traces, signals = made(seed)
        shares.append(sum(s["kind"] == "user_rating" for s in signals) / len(traces))
    assert 0.04 < sum(shares) / len(shares) < 0.07


def test_signals_tell_about_the_verdict_through_noise():
    signals = [signal for seed in range(6) for signal in made(seed)[1]]
    down = share_failed(signals, kind="user_rating", value="down")
    again = share_failed(signals, kind="implicit_regenerate")
    base = sum(verdict.failed for verdict in recorded_verdicts().values()) / len(recorded_verdicts())
    assert 0.4 < down < 0.75
    assert 0.35 < again < 0.7
    assert share_failed(signals, kind="implicit_copy") < base < down
    assert share_failed(signals, kind="user_rating", value="up") < base


def test_most_failures_stay_silent():
    _, signals = made()
    complained = {s["trace_id"] for s in signals if s["kind"] in NEGATIVE or s.get("value") == "down"}
    failures = [trace_id for trace_id, verdict in recorded_verdicts().items() if verdict.failed]
    assert 0.5 < sum(trace_id not in complained for trace_id in failures) / len(failures) < 0.85


def test_all_nine_kinds_happen():
    assert {s["kind"] for seed in range(3) for s in made(seed)[1]} == {
        "user_rating", "user_reason", "user_edit", "implicit_regenerate", "implicit_clarification",
        "implicit_abandonment", "implicit_copy", "implicit_copy_edit", "implicit_dwell",
    }  # fmt: skip


def test_a_reason_follows_a_thumbs_down():
    _, signals = made()
    downs = {s["trace_id"]: when(s["at"]) for s in signals if s.get("value") == "down"}
    reasons = [s for s in signals if s["kind"] == "user_reason"]
    assert reasons
    assert all(when(s["at"]) > downs[s["trace_id"]] for s in reasons)


def test_only_the_last_answer_of_a_session_is_abandoned():
    traces, signals = made()
    last = {t["session_id"]: t["id"] for t in traces}  # traces come in order of time
    session = {t["id"]: t["session_id"] for t in traces}
    left = [s["trace_id"] for s in signals if s["kind"] == "implicit_abandonment"]
    assert left
    assert all(last[session[trace_id]] == trace_id for trace_id in left)
