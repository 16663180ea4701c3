"""LangSmith's filter language over runs: `and(eq(run_type, "llm"), gt(start_time, "2026-11-23T00:00:00Z"))`."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from thumbwheel.connectors.langsmith import time_of
from thumbwheel.errors import Invalid

#: Whether a run, in the form its clients read, is meant.
Test: TypeAlias = Callable[[Mapping[str, Any]], bool]

_TOKEN: Final = re.compile(r"""\s*(?:("(?:[^"\\]|\\.)*")|'([^']*)'|(-?\d+(?:\.\d+)?)|(\w+)|([(),]))""", re.ASCII)
_MOST: Final = 2000
_DEEPEST: Final = 20
_ORDERED: Final = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
_TIMES: Final = frozenset({"start_time", "end_time"})
_PLAIN: Final = frozenset(
    "id name run_type status error start_time end_time tags trace_id parent_run_id session_id total_tokens prompt_tokens "
    "completion_tokens".split()
)
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_THREAD: Final = ("session_id", "thread_id", "conversation_id")


@dataclass(frozen=True, slots=True)
class _Call:
    """`name(arguments)`; a field alone has none."""

    name: str
    arguments: tuple[Any, ...] = ()


def read_filter(text: str) -> Test:
    """The test a filter describes.

    Raises:
        Invalid: it is no filter, or says something no run here could be asked.
    """
    if len(text) > _MOST:
        raise Invalid(f"A filter has at most {_MOST} characters.", field="filter")
    tokens = _tokens(text)
    call = _parsed(tokens, 0)
    if tokens or not isinstance(call, _Call):
        raise Invalid('A filter is one call, like eq(name, "ask").', field="filter")
    return _test(call)


def _tokens(text: str) -> list[Any]:
    found: list[Any] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Invalid(f"This cannot be read as a filter: {text[at : at + 40]!r}.", field="filter")
        quoted, single, figure, word, sign = match.groups()
        if quoted is not None:
            quoted = _unquoted(quoted)
        found.append(
            ("value", quoted) if quoted is not None
            else ("value", single) if single is not None
            else ("value", float(figure)) if figure is not None
            else ("word", word) if word is not None
            else ("sign", sign)
        )  # fmt: skip
        at = match.end()
    return found[::-1]


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError as fault:
        raise Invalid(f"This is no text: {text[:40]}.", field="filter") from fault


def _parsed(tokens: list[Any], depth: int) -> Any:
    """Take one value off the end of the tokens."""
    if not tokens or depth > _DEEPEST:
        raise Invalid("The filter ends too early, or is nested too deeply.", field="filter")
    kind, value = tokens.pop()
    if kind == "value":
        return value
    if kind == "sign":
        raise Invalid(f"Unexpected {value!r} in the filter.", field="filter")
    if not tokens or tokens[-1] != ("sign", "("):
        return _CONSTANTS.get(value, _Call(value))
    tokens.pop()
    arguments = [_parsed(tokens, depth + 1)]
    while tokens and tokens[-1] == ("sign", ","):
        tokens.pop()
        arguments.append(_parsed(tokens, depth + 1))
    if not tokens or tokens.pop() != ("sign", ")"):
        raise Invalid("The filter lacks a closing parenthesis.", field="filter")
    return _Call(value, tuple(arguments))


def _test(call: Any) -> Test:
    if not isinstance(call, _Call):
        raise Invalid(f"{call!r} is no condition.", field="filter")
    if call.name == "and":
        tests = [*_of_metadata(call.arguments)]
        return lambda run: all(test(run) for test in tests)
    if call.name == "or":
        tests = [_test(each) for each in call.arguments]
        return lambda run: any(test(run) for test in tests)
    if call.name == "not" and len(call.arguments) == 1:
        inner = _test(call.arguments[0])
        return lambda run: not inner(run)
    if call.name == "search" and len(call.arguments) == 1:
        words = str(call.arguments[0]).casefold()
        return lambda run: words in json.dumps([run["inputs"], run["outputs"]], ensure_ascii=False).casefold()
    return _comparison(call)


def _of_metadata(arguments: tuple[Any, ...]) -> list[Test]:
    """Tests that hold together; a key and a value of metadata beside each other are a pair."""
    paired = {name: each for name in _PAIR for each in arguments if _is_of(each, name)}
    if paired.keys() != set(_PAIR):
        return [_test(each) for each in arguments]
    key, value = (paired[name].arguments[1] for name in _PAIR)
    rest = [_test(each) for each in arguments if each not in paired.values()]
    return [lambda run: bool(_metadata(run).get(key) == value), *rest]


_PAIR: Final = ("metadata_key", "metadata_value")


def _is_of(call: Any, field: str) -> bool:
    return (
        isinstance(call, _Call)
        and call.name == "eq"
        and call.arguments[:1] == (_Call(field),)
        and (len(call.arguments) == 2 and not isinstance(call.arguments[1], _Call))
    )


def _comparison(call: _Call) -> Test:
    if len(call.arguments) != 2 or not isinstance(call.arguments[0], _Call) or isinstance(call.arguments[1], _Call):
        raise Invalid(f"{call.name!r} takes a field and a value.", field="filter")
    field, value = call.arguments[0].name, call.arguments[1]
    if field not in _PLAIN | {"latency", "is_root", "thread_id", "metadata_key"}:
        raise Invalid(f"Runs cannot be filtered by {field!r} here.", field="filter")
    if field in _TIMES:
        value = time_of(value)
        if value is None:
            raise Invalid(f"{field!r} is compared with an ISO 8601 time.", field="filter")
    if call.name in {"eq", "neq"}:
        equal = call.name == "eq"
        return lambda run: _is(_read(run, field), value) is equal
    if call.name == "has":
        return lambda run: isinstance(held := _read(run, field), list) and value in held
    if call.name in _ORDERED:
        compare = _ORDERED[call.name]
        return lambda run: (
            type(held := _ordered(_read(run, field))) is type(_ordered(value)) and bool(compare(held, _ordered(value)))
        )
    raise Invalid(f"{call.name!r} is not a condition here.", field="filter")


def _is(held: Any, value: Any) -> bool:
    """Whether a field has a value; one with several, whether it is among them."""
    return value in held if isinstance(held, list) else bool(held == value)


def _ordered(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _metadata(run: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = run["extra"]["metadata"]
    return found


def _read(run: Mapping[str, Any], field: str) -> Any:
    if field == "is_root":
        return run["parent_run_id"] is None
    if field == "thread_id":
        return [each for name in _THREAD if (each := _metadata(run).get(name)) is not None]
    if field == "metadata_key":
        return list(_metadata(run))
    if field == "latency":
        ended_at, started_at = time_of(run["end_time"]), time_of(run["start_time"])
        return None if ended_at is None or started_at is None else (ended_at - started_at).total_seconds()
    return time_of(run[field]) if field in _TIMES else run[field]
