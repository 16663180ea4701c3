"""What kind of request a recorded query is, by a keyword rule anyone can read and argue with.

The rule reads the query's first line only: in these texts the first line is the
instruction and the rest is material for it. It never sees the answer or the
verdict. Rules are tried in order and the first match wins, so "write a function
that sums a list" is code, not maths and not writing.
"""

from __future__ import annotations

import re
from typing import Final

#: Category -> pattern over the lower-cased line, in order of precedence. What matches none is `OTHER`.
RULES: Final[tuple[tuple[str, str], ...]] = (
    (
        "code",
        (
            r"\b(?:code|coding|python|java|javascript|sql|html|css|algorithms?|programs?|programming|regex|pseudocode"
            r"|database|web ?pages?|compile|loop|array|api)\b"
            r"|\b(?:write|create|implement|design|build)\b.{0,25}\b(?:function|class|script)\b"
        ),
    ),
    (
        "maths",
        (
            r"\b(?:calculate|compute|equation|solve|sum|multiply|divided?|percentage|probability|average|median|area"
            r"|perimeter|volume|square root|remainder|fractions?|ratio|derivative|integral|maths?|mathematical|triangle"
            r"|celsius|fahrenheit|how many)\b|\d\s*[+*^×÷=]\s*\d"
        ),
    ),
    (
        "language",
        (
            r"\b(?:translat\w+|grammar|grammatical\w*|spelling|punctuation|synonyms?|antonyms?|idioms?|adjectives?"
            r"|adverbs?|nouns?|verbs?|pronouns?|prefix|suffix|tense|vocabulary|proofread|part of speech"
            r"|words? (?:that|which|with))\b|\bmeaning of\b"
        ),
    ),
    (
        "summary",
        (
            r"\b(?:summar\w+|outline|key points|main (?:points?|idea|argument)|takeaways?|abstract|paraphrase|condense"
            r"|shorten)\b"
        ),
    ),
    (
        "rewriting",
        (
            r"\b(?:rewrite|rephrase|edit|correct|reword|revise|fix|modify|restructure|reshape|expand|reorgani[sz]e|insert"
            r"|replace|rearrange|combine|convert|transform|change the)\b"
        ),
    ),
    (
        "writing",
        (
            r"\b(?:poems?|stor(?:y|ies)|haiku|songs?|lyrics?|essay|e-?mail|letter|tweet|blog|slogan|tagline|headline"
            r"|jokes?|dialogue|paragraph|speech|script|verse|riddle|sonnet|limerick|rap|advertisement|caption|toast"
            r"|titles?|compose|metaphor|simile|analogy|write|message|conversation|fictional|pun|quote|character|post"
            r"|draft)\b"
        ),
    ),
    (
        "analysis",
        (
            r"\b(?:analy[sz]\w+|compare|comparison|contrast|evaluate|classify|categori[sz]e|sort|rank|determine|detect"
            r"|estimate|assess|predict|match|interpret|criti\w+|data ?set|sentiment|given)\b"
        ),
    ),
    (
        "lists",
        (
            r"\blists?\b|\b(?:suggest|recommend)\b"
            r"|\b(?:name|provide|give|generate|come up with|brainstorm|identify|create|think of|select|propose|what are"
            r"|make|state|describe)\b.{0,40}\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|ideas|ways?|examples?"
            r"|items|names?|tips?|steps|questions|reasons?|benefits|uses|topics|several|few|some)\b"
        ),
    ),
    (
        "facts",
        (
            r"\b(?:what|who|when|where|why|how|which|explain|describe|define|tell me|find|search|research|report|discuss"
            r"|name)\b"
        ),
    ),
)
#: What no rule claims.
OTHER: Final = "other"
#: Every category a recorded query can have.
CATEGORIES: Final[tuple[str, ...]] = (*(name for name, _ in RULES), OTHER)

_COMPILED: Final = tuple((name, re.compile(pattern)) for name, pattern in RULES)


def category_of(query: str) -> str:
    """The category of a query: the first rule that its first line matches, else `other`.

    >>> category_of("Write a function that returns the sum of a list.")
    'code'
    >>> category_of("Why is the sky blue?")
    'facts'
    """
    instruction = query.strip().partition("\n")[0].lower()
    for name, pattern in _COMPILED:
        if pattern.search(instruction):
            return name
    return OTHER
