"""Secrets in text: keys, tokens, passwords. Their type is SECRET; Presidio has none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from thumbwheel.connectors.labels import LONG_WORD, Look, lowered, places
from thumbwheel.ports import Found

#: Keys that name their issuer, by the beginning each gives them.
_ISSUED: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"sk-(?:proj-|svcacct-|admin-|ant-|or-|lf-)?[A-Za-z0-9_-]{20,200}"  # OpenAI, Anthropic, OpenRouter, Langfuse
    r"|(?:pk|sk|rk)[-_](?:live|test|lf|prod)[-_][A-Za-z0-9-]{10,120}"  # Stripe and those who copied it
    r"|tw_sk_[A-Za-z0-9_-]{16,120}|lsv2_[a-z]{2}_[A-Za-z0-9_]{20,120}|ls__[A-Za-z0-9]{20,80}"  # ours, LangSmith
    r"|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{30,255}|glpat-[A-Za-z0-9_-]{20,60}"
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}"  # AWS
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,300}|GOCSPX-[A-Za-z0-9_-]{20,60}"  # Google
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,250}|xapp-\d-[A-Za-z0-9-]{20,250}"  # Slack
    r"|hf_[A-Za-z0-9]{30,60}|r8_[A-Za-z0-9]{30,60}|gsk_[A-Za-z0-9]{30,80}|xai-[A-Za-z0-9]{40,120}|pplx-[A-Za-z0-9]{40,80}"
    r"|SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{16,80}|key-[0-9a-f]{32}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,300}"
    r"|dop_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|dapi[0-9a-f]{32}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}"
    r"|sq0[a-z]{3}-[A-Za-z0-9_-]{22,60}|EAAC[A-Za-z0-9]{30,250}|hv[sb]\.[A-Za-z0-9_-]{24,200}|AGE-SECRET-KEY-1[A-Z0-9]{58}"
    r"|eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{0,1000}"  # a JSON web token
    r")"
)
_BREAK: Final = r"(?:\s|\\[nr])*"
_PRIVATE_KEY: Final = re.compile(
    rf"-----BEGIN [A-Z0-9 ]{{0,30}}PRIVATE KEY(?: BLOCK)?-----(?:{_BREAK}(?:[A-Za-z0-9+/=]{{20,}}|[A-Z][\w-]{{2,20}}: [^\n]{{1,100}}))*"
    rf"(?:{_BREAK}[A-Za-z0-9+/=]{{1,64}})?(?:{_BREAK}-----END [A-Z0-9 ]{{0,30}}PRIVATE KEY(?: BLOCK)?-----)?"
)
#: scheme://user:password@host
_IN_URL: Final = re.compile(
    r"(?<![\w+.-])[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,100}:(?P<secret>[^\s/@\"'<>]{3,200})@", re.IGNORECASE
)
#: What follows the name of a secret.
_AFTER_NAME: Final = re.compile(
    r"[\"'`]?(?:\s{0,3}(?P<sign>=>|:=|[:=])\s{0,3}|\s{1,2}is:?\s{1,2})[\"'`]?(?P<secret>[^\s\"'`<>(){},;&]{6,200})"
)
_NAMES: Final = ("key", "token", "secret", "password", "passwort", "passwd", "passphrase", "pwd", "passcode")
#: Before "key" and "token"; bare they may open anything, and their value must be long.
_TELLING: Final = re.compile(
    r"(?:api|access|secret|private|encryption|auth|master|signing|account|subscription|licen[cs]e)[ _-]?\Z"
)
_BEARER: Final = re.compile(r"\s{1,2}(?P<secret>[A-Za-z0-9_\-.~+/]{16,2000}={0,2})")
_WORDS: Final = ("bearer", "basic", "://", *_NAMES)
#: What stands where a secret would: an example, a variable, a word.
_NO_SECRET: Final = re.compile(
    r"(?:(?:your|my)[ _-]|example|changeme|xxx|\*\*\*|\.\.\.|none|null|true|false|os\.|process\.|env|\$|%|self\.|undefined)",
    re.IGNORECASE,
)


def may_have_secrets(look: Look) -> bool:
    """True for every text in which `secrets` finds something: a word that announces one, or a very long word."""
    return look.long_word or any(word in look.small for word in _WORDS)


def secrets(text: str) -> Iterator[Found]:
    """Keys by their issuer's form, private keys, passwords in addresses, and what follows "password:" or "api_key =".

    Of what only a name announces, a value with letters and digits mixed
    counts; words, calls, variables and examples do not.
    """
    small = lowered(text)
    if "private key" in small:
        yield from (Found("SECRET", *match.span()) for match in _PRIVATE_KEY.finditer(text))
    for run in LONG_WORD.finditer(text):
        yield from (Found("SECRET", *match.span()) for match in _ISSUED.finditer(text, *run.span()))
    if "://" in text:
        yield from (Found("SECRET", *match.span("secret")) for match in _IN_URL.finditer(text))
    for match in (*_named(text, small), *_bearers(text, small)):
        secret = match["secret"].rstrip(".:!?")
        if _is_secret(secret):
            yield Found("SECRET", match.start("secret"), match.start("secret") + len(secret))


def _named(text: str, small: str) -> Iterator[re.Match[str]]:
    for name in _NAMES:
        at = small.find(name)
        while at >= 0:
            match = _AFTER_NAME.match(text, at + len(name))
            loose = name in {"key", "token"} and not _TELLING.search(small, max(0, at - 20), at)
            if match and (not loose or (match["sign"] and len(match["secret"]) >= 20)):
                yield match
            at = small.find(name, at + 1)


def _bearers(text: str, small: str) -> Iterator[re.Match[str]]:
    for _, end in places(small, ("bearer", "basic", "token")):
        match = _BEARER.match(text, end)
        if match:
            yield match


def _is_secret(value: str) -> bool:
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return mixed and len(value) >= 6 and not _NO_SECRET.match(value)
