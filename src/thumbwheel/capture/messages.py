"""Conversations in one form, whatever dialect they came in: `[{"role", "content", "tool_calls"?, …}]`.

Read are the messages of OpenAI, Anthropic and Gemini requests and answers, OpenTelemetry's parts, OpenInference's and
LangChain's messages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from thumbwheel.domain.span import SpanEvent
from thumbwheel.domain.trace import Json

_ROLES: Final = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "function": "tool",
    "AIMessageChunk": "assistant",
}
_LANGCHAIN: Final = {
    "HumanMessage": "user",
    "AIMessage": "assistant",
    "AIMessageChunk": "assistant",
    "SystemMessage": "system",
    "ToolMessage": "tool",
    "FunctionMessage": "tool",
    "ChatMessage": "user",
}
#: What may stand beside the messages of a request and says nothing about the conversation.
_PARAMETERS: Final = frozenset(
    "model messages system temperature top_p top_k n stream stream_options stop max_tokens max_completion_tokens tools "
    "tool_choice functions function_call response_format presence_penalty frequency_penalty seed user logprobs "
    "parallel_tool_calls reasoning_effort metadata".split()
)
_TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text"})


def conversation(value: Json) -> list[dict[str, Any]] | None:
    """The messages in a value, in one form; None where it is no conversation."""
    if isinstance(value, list):
        if len(value) == 1 and isinstance(value[0], list):
            return conversation(value[0])
        found = [_message(each) for each in value]
        return [each for each in found if each is not None] if found and None not in found else None
    if not isinstance(value, dict):
        return None
    one = _message(value)
    if one is not None:
        return [one]
    if isinstance(value.get("messages"), list) and (len(value) == 1 or _PARAMETERS.issuperset(value)):
        inner = conversation(value["messages"])
        return inner and led_by(value.get("system"), inner)
    return _answers(value)


def _answers(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The messages of an API's answer."""
    choices = value.get("choices")
    if isinstance(choices, list) and choices:
        return conversation([each.get("message") if isinstance(each, dict) else None for each in choices])
    generations = value.get("generations")
    if isinstance(generations, list) and generations:
        flat = [each for group in generations for each in (group if isinstance(group, list) else [group])]
        return conversation([_generated(each) for each in flat])
    return None


def _generated(generation: Any) -> Json:
    if not isinstance(generation, dict):
        return None
    message: Json = generation.get("message")
    return message or {"role": "assistant", "content": generation.get("text")}


def spoken(value: Json, *, answer: bool) -> Json:
    """An input or output as it is kept on the trace: messages in one form, an answer of one plain text as that text.

    A dictionary whose one key says "input" or "output" is what it holds: that is how clients wrap bare values.
    """
    said = conversation(value)
    if said is None:
        wrapped = "output" if answer else "input"
        if isinstance(value, dict) and len(value) == 1 and wrapped in value:
            return spoken(value[wrapped], answer=answer)
        return value
    if answer and len(said) == 1 and said[0].keys() == {"role", "content"} and isinstance(said[0]["content"], str):
        return str(said[0]["content"]) if said[0]["role"] == "assistant" else list(said)
    return list(said)


def led_by(system: Json, said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation with the system prompt first, unless it begins with one."""
    text = plain_text(system)
    if not text or (said and said[0]["role"] == "system"):
        return said
    return [{"role": "system", "content": text}, *said]


def plain_text(value: Json) -> str | None:
    """The text of a prompt given as text or as parts; None where there is none."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, dict):
        return plain_text(value.get("content", value.get("text")))
    if isinstance(value, list):
        return "\n".join(filter(None, map(plain_text, value))) or None
    return None


def of_events(events: Iterable[SpanEvent], *, answer: bool) -> list[Any] | None:
    """The messages that were reported as events: those of the request, or those of the answer."""
    ordered = sorted(events, key=lambda each: (each.at, each.place, each.name, json.dumps(each.body, sort_keys=True)))
    if answer:
        choices = [each.body for each in ordered if each.name == "gen_ai.choice"]
        choices.sort(key=_index)
        return [_choice(each) for each in choices] or None
    asked = [(each.name.split(".")[1], each.body) for each in ordered if each.name.endswith(".message")]
    return [{"role": role} | (body if isinstance(body, dict) else {"content": body}) for role, body in asked] or None


def _index(choice: Any) -> int:
    given = choice.get("index") if isinstance(choice, dict) else None
    return given if isinstance(given, int) else 0


def _choice(body: Json) -> dict[str, Any]:
    message = body.get("message", body) if isinstance(body, dict) else body
    if not isinstance(message, dict):
        return {"role": "assistant", "content": message}
    return {"role": "assistant"} | {
        name: each for name, each in message.items() if name not in {"index", "finish_reason"}
    }


# --- one message


def _message(value: Json) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    if "role" in value:
        role, body = value["role"], value
    else:
        found = _langchain(value)
        if found is None:
            return None
        role, body = found
    if not isinstance(role, str) or not _BODIES.intersection(body):
        return None
    role = _ROLES.get(role, role)
    return {"role": role} | _content(body) | _about(body)


_BODIES: Final = frozenset({"content", "parts", "tool_calls", "function_call", "contents"})


def _langchain(value: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    path, body = value.get("id"), value.get("kwargs")
    if "lc" in value and isinstance(path, list) and path and isinstance(body, dict):
        role = _LANGCHAIN.get(str(path[-1]))
        return None if role is None else (role, body)
    if isinstance(value.get("message"), dict) and len(value) == 1:
        inner = value["message"]
        return None if "role" not in inner else (inner["role"], inner)
    role = value.get("type")
    if isinstance(role, str) and role in {"human", "ai", "system", "tool", "function", "AIMessageChunk"}:
        inner = value.get("data", value)
        return (role, inner) if isinstance(inner, dict) and "content" in inner else None
    return None


def _about(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("name", "tool_call_id") if body.get(name)}


def _content(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a message says, which tools it calls and what they answered."""
    raw = body.get("parts", body.get("contents", body.get("content")))
    calls = [_call(each) for each in _listed(body.get("tool_calls"))]
    if isinstance(body.get("function_call"), dict):
        calls.append(_call(body["function_call"]))
    if not isinstance(raw, list):
        return {"content": raw} | ({"tool_calls": calls} if calls else {})
    said: dict[str, Any] = {}
    shown = [part for part in raw if not _takes(part, said, calls)]
    texts = [_text_of_part(part) for part in shown]
    said["content"] = "\n".join(filter(None, texts)) if None not in texts else shown
    if not shown:
        said["content"] = said.pop("response", None)
    else:
        said.pop("response", None)
    return said | ({"tool_calls": calls} if calls else {})


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text_of_part(part: Any) -> str | None:
    """A part's text; None for a picture, a file or anything else that is none."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return None
    inner = part.get("message_content", part)
    if not isinstance(inner, dict) or str(inner.get("type", "text")) not in _TEXT_PARTS:
        return None
    text = inner.get("content", inner.get("text"))
    return text if isinstance(text, str) else None


def _takes(part: Any, said: dict[str, Any], calls: list[dict[str, Any]]) -> bool:
    """Whether the part is a tool's call, its answer or a line of reasoning, which are kept beside the content."""
    kind = str(part.get("type")) if isinstance(part, dict) else None
    if kind in {"tool_call", "tool_use"}:
        calls.append(_call(part))
    elif kind in {"tool_call_response", "tool_result"}:
        said["tool_call_id"] = part.get("id", part.get("tool_use_id"))
        said["response"] = part.get("response", part.get("result", part.get("content")))
    elif kind in {"reasoning", "thinking"}:
        said["reasoning"] = part.get("content", part.get("thinking"))
    else:
        return False
    return True


def _call(value: Any) -> dict[str, Any]:
    """A tool call as `{"id"?, "name", "arguments"}`."""
    call = value.get("tool_call", value) if isinstance(value, dict) else {}
    function = call.get("function", call)
    if not isinstance(function, dict):
        function = call
    arguments = next((function[name] for name in ("arguments", "args", "input") if name in function), None)
    made = {"name": function.get("name"), "arguments": read_json(arguments)}
    return ({"id": call["id"]} if call.get("id") else {}) | made


def read_json(value: Any) -> Any:
    """What a text holds if it holds a JSON object or list; any other value as it is."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def calls_of(said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The tool calls a conversation holds, in order."""
    return [call for message in said for call in _listed(message.get("tool_calls")) if isinstance(call, dict)]
