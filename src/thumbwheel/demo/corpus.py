"""The texts of the demo and what people recorded about them.

Two sources: HaluEval's general part (queries, ChatGPT's answers, human verdicts,
all recorded) and a few support conversations written by hand. `data/README.md` says
where each comes from and under which licence.
"""

from __future__ import annotations

import gzip
import json
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import cycle
from typing import Any, Final, Literal

from thumbwheel.demo.category import category_of
from thumbwheel.domain.trace import Json

#: What the page says about the demo, in one line.
NOTICE: Final = (
    "Demo data: queries, answers and human verdicts are recorded (HaluEval, MIT) or hand-written; "
    "users, times and their feedback are simulated."
)
#: Category of every hand-written trace.
SUPPORT: Final = "support"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVerdict:
    """What a person said about one answer. It never reaches a trace."""

    failed: bool
    #: `recorded`: HaluEval's annotators. `authored`: whoever wrote the conversation.
    origin: Literal["recorded", "authored"]
    #: What was marked as wrong, as it was marked: mostly quotations, at times a remark.
    spans: tuple[str, ...] = ()
    #: Codebook categories; a recorded failure knows only `hallucination`.
    categories: tuple[str, ...] = ()
    critique: str | None = None
    #: A right answer, for hand-written failures.
    corrected_output: str | None = None
    #: Document id -> was it relevant, for hand-written traces.
    documents: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoText:
    """One request with its answer, before it gets a user and a time."""

    trace_id: str
    category: str
    answer: str
    #: The fields of the native trace that come from the text itself.
    content: dict[str, Json]
    verdict: RecordedVerdict


@cache
def texts() -> tuple[DemoText, ...]:
    """Every text of the demo, in a fixed order; ids are the same in every week and under every seed."""
    return (*_recorded(), *_handwritten())


def recorded_verdicts() -> dict[str, RecordedVerdict]:
    """Trace id -> what people recorded about it. Only replaying labels may use this."""
    return {text.trace_id: text.verdict for text in texts()}


def _data() -> Traversable:
    return files("thumbwheel.demo") / "data"


def _recorded() -> list[DemoText]:
    packed = (_data() / "halueval_general.jsonl.gz").read_bytes()
    return [_of_recorded(json.loads(line)) for line in gzip.decompress(packed).splitlines()]


def _of_recorded(row: dict[str, Any]) -> DemoText:
    failed = row["hallucination"] == "yes"
    category = category_of(row["user_query"])
    return DemoText(
        trace_id=f"halueval-{row['ID'].zfill(4)}",
        category=category,
        answer=row["chatgpt_response"],
        content={
            "name": "chat",
            "category": category,
            "tags": ["halueval"],
            "input": row["user_query"],
            "output": row["chatgpt_response"],
            "metadata": {
                "source": f"RUCAIBox/HaluEval, general, row {row['ID']} (MIT)",
                "behaviour": "simulated",
            },
        },
        verdict=RecordedVerdict(
            failed=failed,
            origin="recorded",
            spans=tuple(row["hallucination_spans"]),
            categories=("hallucination",) if failed else (),
        ),
    )


def _handwritten() -> list[DemoText]:
    book = tomllib.loads((_data() / "handwritten.toml").read_text(encoding="utf-8"))
    return [_of_handwritten(row, book["system"].strip(), book["articles"]) for row in book["trace"]]


def _of_handwritten(row: dict[str, Any], system: str, articles: dict[str, str]) -> DemoText:
    answer = row["answer"].strip()
    content: dict[str, Json] = {
        "name": "support",
        "category": SUPPORT,
        "tags": ["handwritten"],
        "input": _messages(system, row["turns"]),
        "output": answer,
        "metadata": {"source": "written for the demo (MIT)", "behaviour": "simulated"},
    }
    if row.get("documents"):
        content["documents"] = [
            {
                "id": hit["id"],
                "content": articles[hit["id"]].strip(),
                "score": hit["score"],
                "rank": rank,
            }
            for rank, hit in enumerate(row["documents"], start=1)
        ]
    if row.get("tool_calls"):
        content["tool_calls"] = row["tool_calls"]
    return DemoText(
        trace_id=row["id"],
        category=SUPPORT,
        answer=answer,
        content=content,
        verdict=_authored_verdict(row),
    )


def _messages(system: str, turns: list[str]) -> list[Json]:
    spoken: list[Json] = [
        {"role": role, "content": turn.strip()} for role, turn in zip(cycle(("user", "assistant")), turns, strict=False)
    ]
    return [{"role": "system", "content": system}, *spoken]


def _authored_verdict(row: dict[str, Any]) -> RecordedVerdict:
    corrected = row.get("corrected", "").strip()
    return RecordedVerdict(
        failed=row["verdict"] == "fail",
        origin="authored",
        spans=tuple(row.get("spans", ())),
        categories=tuple(row.get("categories", ())),
        critique=row.get("critique"),
        corrected_output=corrected or None,
        documents={hit["id"]: hit["relevant"] for hit in row.get("documents", ())},
    )
