"""Text that users and applications wrote, made safe and quick to show.

Nothing in it may run, load or send anything: HTML is shown as it is written, an image is named and not fetched, a link
goes only where a person can read it goes. What a page cannot show well (control characters, terminal colours, hundreds
of kilobytes) is made visible or folded.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

#: Longer texts are folded: this much is shown, the rest is one key away.
FOLD_AT = 6_000
SHOWN = 4_000
#: Past this, formatting costs more than it tells: the rest is shown as it was written, up to a limit.
_FORMATTED = 12_000
_MOST = 400_000

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}
_CONTROLS |= dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
_TAGS = set("p br hr h3 ul ol li blockquote pre code em strong s a table thead tbody tr th td span".split())
_ATTRIBUTES = {
    "a": {"href"},
    "ol": {"start"},
    "span": {"class"},
    "pre": {"tabindex"},
    "table": {"tabindex"},
    "h3": {"class"},
}
_LINKS = {"http", "https", "mailto"}


def plain(value: str) -> str:
    r"""A text without terminal colours, and with other control characters as the pictures that stand for them.

    >>> plain("\x1b[31mred\x1b[0m\x00")
    'red␀'
    """
    return _ANSI.sub("", value).replace("\r\n", "\n").translate(_CONTROLS)


def markdown(value: str) -> Markup:
    """Markdown as HTML in which nothing runs, loads or leaves the page by itself."""
    return Markup(  # noqa: S704 - the one place where HTML is made from others' text; nh3 lets through only the above
        nh3.clean(
            _markdown.render(plain(value)),
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            url_schemes=_LINKS,
            link_rel="noopener noreferrer nofollow",
            set_tag_attribute_values={"a": {"target": "_blank"}},
        )
    )


def raw(value: str) -> Markup:
    """A text as it was written, for what is too long to be formatted."""
    return Markup('<pre class="raw" tabindex="0">{}</pre>').format(plain(value))


@dataclass(frozen=True, slots=True)
class Folded:
    """A text cut for showing: its beginning, the rest, and what is left out altogether."""

    head: Markup
    rest: Markup | None
    #: Characters in the rest.
    n_folded: int = 0
    #: Characters that no page shows.
    n_cut: int = 0


def folded(value: str) -> Folded:
    """A text as markdown, folded at a paragraph when it is long."""
    if len(value) <= FOLD_AT:
        return Folded(markdown(value), None)
    at = _cut(value, SHOWN)
    rest, n_cut = value[at : _MOST + at], max(len(value) - _MOST - at, 0)
    shown = markdown(rest) if len(rest) <= _FORMATTED else raw(rest)
    return Folded(markdown(value[:at]), shown, len(rest), n_cut)


def _cut(value: str, near: int) -> int:
    """Where to cut: after a paragraph, else a line, else a word, looking back from `near` by no more than half."""
    for mark in ("\n\n", "\n", " "):
        at = value.rfind(mark, near // 2, near)
        if at > 0:
            return at + len(mark)
    return near


def _image(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: Any, _env: MutableMapping[str, Any]
) -> str:
    """An image as its name and where it would have come from: showing it would tell that host who reads what."""
    token = tokens[at]
    source = str(token.attrs.get("src", ""))
    place = urlsplit(source).hostname if source.startswith(("http:", "https:")) else source.split(":", 1)[0][:20]
    name = escape(token.content or "no description")
    return f'<span class="image-off">image not loaded: {name} <span class="where">{escape(place or "")}</span></span>'


def _focusable(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    """A table that scrolls sideways can be reached by keyboard."""
    tokens[at].attrSet("tabindex", "0")
    return renderer.renderToken(tokens, at, options, env)


def _heading(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    """A heading of somebody's text is below all of the page's own."""
    token = tokens[at]
    if token.nesting > 0:
        token.attrSet("class", f"l{token.tag[1:]}")
    token.tag = "h3"
    return renderer.renderToken(tokens, at, options, env)


def _code(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: Any, _env: MutableMapping[str, Any]
) -> str:
    return f'<pre tabindex="0"><code>{escape(tokens[at].content)}</code></pre>\n'


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 30}).enable(["table", "strikethrough"])
    parser.validateLink = lambda url: _scheme(url) in _LINKS  # type: ignore[method-assign]
    parser.add_render_rule("image", _image)
    parser.add_render_rule("table_open", _focusable)
    parser.add_render_rule("heading_open", _heading)
    parser.add_render_rule("heading_close", _heading)
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("code_block", _code)
    return parser


def _scheme(url: str) -> str:
    """The scheme of a link, or an empty text when it has none or is no link at all."""
    try:
        return urlsplit(url.strip()).scheme.lower()
    except ValueError:
        return ""


_markdown = _parser()
