"""The fields of the native JSON, and what other people's tables call them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class What(StrEnum):
    """What the rows of a table are."""

    traces = "traces"
    signals = "signals"


#: Fields of a trace, each with the names other tables give it.
_OF_TRACES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("trace_id", "run_id", "request_id", "span_id"),
    "started_at": ("start_time", "created_at", "created", "timestamp", "time", "date"),
    "ended_at": ("end_time", "finished_at"),
    "name": (),
    "category": ("topic", "intent", "route"),
    "user_id": ("user", "userid", "customer_id"),
    "session_id": ("session", "conversation_id", "thread_id"),
    "model": ("model_name",),
    "prompt_version": ("prompt_name_version",),
    "release": ("app_version",),
    "tags": ("labels",),
    "input": ("question", "query", "prompt", "user_query", "user_message"),
    "output": ("answer", "response", "completion", "assistant_message"),
    "documents": ("contexts", "retrieved_documents"),
    "tool_calls": (),
    "judge": ("judge_score",),
    "metadata": (),
}

#: What a row of signals may say of its trace beside naming it.
ABOUT_TRACE: Final = (
    "input",
    "output",
    "started_at",
    "name",
    "category",
    "session_id",
    "model",
    "prompt_version",
    "release",
    "tags",
    "documents",
)

_OF_SIGNALS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("signal_id", "feedback_id"),
    "trace_id": ("run_id", "request_id", "span_id", "message_id"),
    "kind": (),
    "at": ("created_at", "created", "timestamp", "time", "date"),
    "user_id": ("user", "userid", "customer_id"),
    "value": ("rating", "thumb", "thumbs", "vote", "feedback", "score"),
    "reason": ("reason_category",),
    "edited": ("correction", "corrected_output"),
    "original": (),
    "seconds": ("dwell_seconds", "dwell"),
    "comment": ("comments", "note"),
    "consent": (),
    "rights": (),
    **{field: () if field in {"started_at", "tags"} else _OF_TRACES[field] for field in ABOUT_TRACE},
}

FIELDS: Final[Mapping[What, Mapping[str, tuple[str, ...]]]] = {What.traces: _OF_TRACES, What.signals: _OF_SIGNALS}

_ID: Final = r"_(?:id|uuid|guid|key|ref)s?$"
#: Fields that hold ids; a column that looks like one is no other field.
IDS: Final = frozenset({"id", "trace_id", "user_id", "session_id"})
LOOKS_LIKE_ID: Final = re.compile(_ID)
#: What a column's name may look like, in the order in which it is asked; a guess from it is never sure.
LOOKS: Final[Mapping[str, re.Pattern[str]]] = {
    field: re.compile(pattern)
    for field, pattern in {
        "id": r"^(?:pk|uuid|guid|row_?id|(?:feedback|rating|vote|reaction|signal|event)" + _ID[:-1] + r")$",
        "session_id": r"(?:session|conversation|thread|chat|dialogue?)" + _ID,
        "user_id": r"(?:user|customer|account|member|visitor|client|author|rater)(?:"
        + _ID
        + r"|$)|^(?:created|rated)_by$|^(?:\w+_)?e?mail$|^user_?name$",
        "trace_id": r"(?:trace|request|run|message|msg|response|completion|generation|answer|interaction|turn|correlation)"
        + _ID,
        "at": r"(?:^|_)(?:created|rated|submitted|inserted|given|logged)(?:_|$)|(?:^|_)(?:at|on|ts|time|timestamp|date|datetime)$",
        "started_at": r"(?:^|_)(?:created|started|asked|inserted|logged)(?:_|$)|(?:^|_)(?:at|on|ts|time|timestamp|date|datetime)$",
        "reason": r"(?:^|_)(?:reason|issue|problem|complaint)(?:_|$)|feedback_(?:category|type|tag)",
        "edited": r"(?:^|_)(?:edited|edit|corrected|correction|rewritten|improved|suggested|better)(?:_|$)",
        "comment": r"(?:^|_)(?:comments?|notes?|remarks?|free_?text|details|explanation|verbatim)(?:_|$)|feedback_text",
        "value": r"(?:^|_)(?:thumbs?|rating|rate|votes?|liked?|likes|helpful|useful|stars?|reaction|upvoted?|score|"
        r"sentiment|satisf\w*|feedback|positive)(?:_|$)",
        "prompt_version": r"prompt.*version",
        "input": r"(?:^|_)(?:question|query|prompt|input|asked|user_(?:message|text|input))(?:_|$)",
        "output": r"(?:^|_)(?:answer|response|completion|output|reply|generated|(?:bot|assistant|ai)_(?:message|text))(?:_|$)",
        "model": r"(?:^|_)model(?:_|$)",
        "category": r"(?:^|_)(?:topic|intent|route|feature|category)(?:_|$)",
        "seconds": r"(?:dwell|reading|read).*(?:seconds|secs|time|s)$",
    }.items()
}
#: What the id of a trace may also be called, best first.
TRACE_NAMES: Final = ("trace", "request", "run", "message", "msg", "response", "completion", "generation", "answer")


def plain_name(column: str) -> str:
    """A column's name in one spelling.

    >>> plain_name("feedback.messageID"), plain_name("Thumb Up/Down")
    ('feedback_message_id', 'thumb_up_down')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", column.strip())
    return re.sub(r"\W+|_+", "_", words).strip("_").lower()
