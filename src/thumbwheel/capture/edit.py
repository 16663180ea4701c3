"""An edit as word-level hunks, each with what kind of change it is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from thumbwheel.domain.signal import Edit, EditKind, Hunk

#: Above this many token pairs (after equal beginnings and ends are set aside) the differing middle is one hunk.
#: Aligning costs about 0.3 ns a pair: this is two unrelated texts of 270 KB in well under a second and few megabytes.
MAX_TOKEN_PAIRS = 2_000_000_000

_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_AUTHOR = rf"(?!{_MONTHS}\W)[A-Z][\w'\u2019-]{{1,40}}"
_AUTHORS = rf"{_AUTHOR}(?:(?:,|,? (?:and|&)) {_AUTHOR}){{0,6}}(?: et al\.?)?"
_AUTHOR_YEAR = rf"{_AUTHORS},? (?:19|20)\d\d[a-z]?"
#: Marks that point at a source: [1], [2, 3], [4-6], [^7], 【1†source】, (Silva et al., 2020; Ito, 1999), a footnote's.
_CITATION = (
    r"\[\^?\d{1,3}(?:\s?[,\u2013-]\s?\d{1,3}){0,20}\]"
    r"|\[\^[\w-]{1,40}\]"
    r"|【[^】\n]{1,80}】"
    rf"|\((?:see |e\.g\.,? |cf\. )?{_AUTHOR_YEAR}(?:; {_AUTHOR_YEAR}){{0,10}}\)"
    r"|(?<=[.,;:!?\"”])[¹²³⁰-⁹]{1,3}"
    r"|[†‡]"
)
_INLINE_TAG = r"</?(?:b|i|u|s|em|strong|del|ins|code|span|mark|small|font)(?:\s[^<>]{0,200})?/?>"
_BLOCK_TAG = (
    r"</?(?:br|p|div|ul|ol|li|h[1-6]|pre|center|blockquote|hr|table|thead|tbody|tr|td|th)(?:\s[^<>]{0,200})?/?>"
)
#: Scripts written without spaces are cut into characters, or a whole sentence would be one word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
#: Letters, and the accents and vowel signs (not letters to `re`) that belong to them.
_WORD = rf"(?:[^\W_{_UNSPACED}]|[\u0300-\u036f\u0900-\u0dff])+"
_TOKEN = re.compile(
    rf"{_CITATION}|{_INLINE_TAG}|{_BLOCK_TAG}|\*+|`+|#+|[{_UNSPACED}]|{_WORD}(?:['\u2019]{_WORD})*|_+|\S"
)
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_CITATIONS = re.compile(_CITATION)
_BEFORE_STOP = re.compile(r"\s+(?=[.,;:!?)])")
_BULLET = r"[-*+•‣◦▪]"
_NUMBERING = re.compile(r"^[ \t>]*\d{1,3}[.)](?=\s)", re.MULTILINE)
#: Decoration that stands for a gap: table pipes and rulers, tags that start a block.
_DIVIDER = re.compile(rf"{_BLOCK_TAG}|(?<!-):?(?<!-)-{{2,}}:?(?=[ \t]{{0,8}}\|)|(?<=\|)[ \t]{{0,8}}:?-{{2,}}:?|\|")
_MARKUP = re.compile(
    rf"{_INLINE_TAG}"
    r"|^[ \t]*(?:[-=*_]{3,})[ \t]*$"  # a rule or an underlined heading
    rf"|^[ \t]*(?:>[ \t]?)*(?:#{{1,6}}(?=\s)|{_BULLET}(?=\s))?"  # quote, heading, bullet
    r"|`+|~~|\*\*+|__+"
    r"|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)",  # emphasis at the edge of a word
    re.MULTILINE,
)
_STRENGTH = (EditKind.correction, EditKind.markup, EditKind.citation, EditKind.whitespace)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text cut into tokens: everything that is not white space, with its place."""

    text: str
    spans: list[tuple[int, int]]
    code: list[tuple[int, int]]

    @classmethod
    def of(cls, text: str) -> _Text:
        return cls(text, [m.span() for m in _TOKEN.finditer(text)], [m.span() for m in _CODE.finditer(text)])

    def words(self) -> list[str]:
        return [self.text[start:end] for start, end in self.spans]

    def gap(self, before: int, after: int) -> tuple[int, int]:
        """Where the text between token `before` and token `after` lies; -1 and n stand for the text's own ends."""
        start = self.spans[before][1] if before >= 0 else 0
        end = self.spans[after][0] if after < len(self.spans) else len(self.text)
        return start, end

    def in_code(self, start: int, end: int) -> bool:
        """Is this inside quoted code, its quoting marks not counted?"""
        at = bisect_right(self.code, (start, len(self.text))) - 1
        if at < 0:
            return False
        left, right = self.code[at]
        marks = 3 if self.text.startswith("```", left) else 1
        return left + marks <= start and end <= right - marks

    def lead(self, token: int) -> str:
        """What comes before a token, as far as markup is concerned: a line's start, white space or a word."""
        if token <= 0:
            return "\n"
        space = self.text[slice(*self.gap(token - 1, token))]
        return "\n" if "\n" in space else "x " if space else "x"

    def around(self, before: int, after: int) -> str:
        """The gap between two tokens, with the tokens."""
        start = self.spans[before][0] if before >= 0 else 0
        end = self.spans[after][1] if after < len(self.spans) else len(self.text)
        return self.text[start:end]


def hunks(original: str, edited: str) -> Edit:
    """The difference between an answer and what a user made of it, as word-level hunks.

    Words are aligned by Levenshtein distance after the equal beginning and
    end are set aside; white space is compared between aligned words. Putting
    each hunk's `after` in place of its `before` gives `edited`, to the
    character (see `apply`).

    A hunk is `whitespace`, `citation` or `markup` when nothing else differs
    once white space, then marks such as [1] or (Silva, 2020), then markdown
    and HTML decoration are set aside. Citation and markup characters inside
    quoted code are code, so changing them is a `correction`.

    Work grows with the product of the differing lengths in words, divided by
    the 64 bits of a machine word; see `MAX_TOKEN_PAIRS` for the bound.
    """
    if original == edited:
        return Edit(original=original, edited=edited, hunks=(), kind=EditKind.none)
    a, b = _Text.of(original), _Text.of(edited)
    found = tuple(_changes(a, b))
    kinds = {hunk.kind for hunk in found}
    kind = next(kind for kind in _STRENGTH if kind in kinds)
    return Edit(original=original, edited=edited, hunks=found, kind=kind)


def apply(original: str, hunks: Sequence[Hunk]) -> str:
    """The edited text: `original` with every hunk put in. Hunks are in order and do not overlap."""
    pieces, at = [], 0
    for hunk in hunks:
        pieces += [original[at : hunk.start], hunk.after]
        at = hunk.end
    return "".join([*pieces, original[at:]])


def _changes(a: _Text, b: _Text) -> Iterator[Hunk]:
    """Compare what lies between each two neighbouring aligned words."""
    last_i = last_j = -1
    for i, j in _aligned(a, b):
        (start, end), (to, till) = a.gap(last_i, i), b.gap(last_j, j)
        before, after = a.text[start:end], b.text[to:till]
        if before != after:
            head = _shared_space(before, after)
            tail = _shared_space(before[head:][::-1], after[head:][::-1])
            code = a.in_code(start + head, end - tail) or b.in_code(to + head, till - tail)
            # The same lead for both: what precedes the shared word is another hunk's business.
            lead = a.lead(last_i) if a.lead(last_i) == b.lead(last_j) else "x "
            yield Hunk(
                start=start + head,
                end=end - tail,
                before=before[head : len(before) - tail],
                after=after[head : len(after) - tail],
                kind=_kind(lead + a.around(last_i, i), lead + b.around(last_j, j), code=code),
            )
        last_i, last_j = i, j


def _aligned(a: _Text, b: _Text) -> Iterator[tuple[int, int]]:
    """Pairs of places of equal words, in order; the last pair is the end of both texts."""
    x, y = _numbered(a.words(), b.words())
    start, end = _common_ends(x, y)
    yield from ((i, i) for i in range(start))
    middle_x, middle_y = x[start : len(x) - end], y[start : len(y) - end]
    if len(middle_x) * len(middle_y) <= MAX_TOKEN_PAIRS:
        for block in Levenshtein.opcodes(middle_x, middle_y):
            if block.tag == "equal":
                length = block.src_end - block.src_start
                yield from ((start + block.src_start + k, start + block.dest_start + k) for k in range(length))
    yield from ((len(x) - k, len(y) - k) for k in range(end, -1, -1))


def _numbered(words: list[str], others: list[str]) -> tuple[list[int], list[int]]:
    """Both texts with each distinct word as a number: the aligner compares hashes, and numbers cannot collide."""
    known: dict[str, int] = {}
    numbers = [[known.setdefault(word, len(known)) for word in text] for text in (words, others)]
    return numbers[0], numbers[1]


def _common_ends(x: list[int], y: list[int]) -> tuple[int, int]:
    """How many words both begin with, and how many of the rest both end with."""
    shorter = min(len(x), len(y))
    start = next((k for k in range(shorter) if x[k] != y[k]), shorter)
    end = next((k for k in range(shorter - start) if x[-1 - k] != y[-1 - k]), shorter - start)
    return start, end


def _shared_space(before: str, after: str) -> int:
    """Length of the white space both begin with."""
    length = 0
    while length < min(len(before), len(after)) and before[length] == after[length] and before[length].isspace():
        length += 1
    return length


def _kind(before: str, after: str, *, code: bool) -> EditKind:
    if _collapsed(before) == _collapsed(after):
        return EditKind.whitespace
    if code:
        return EditKind.correction
    cited, recited = _CITATIONS.sub("", before), _CITATIONS.sub("", after)
    if _settled(cited) == _settled(recited):
        # Nothing but spacing at a mark of punctuation ("end ." for "end.") is white space, not a citation.
        return EditKind.citation if (cited, recited) != (before, after) else EditKind.whitespace
    if _settled(_plain(cited, recited)) == _settled(_plain(recited, cited)):
        return EditKind.markup
    return EditKind.correction


def _plain(text: str, other: str) -> str:
    """Without markdown and HTML decoration. Numbering goes too when the other side has none: "1." for a bullet."""
    if not _NUMBERING.search(other):
        text = _NUMBERING.sub("", text)
    return _MARKUP.sub("", _DIVIDER.sub(" ", text))


def _settled(text: str) -> str:
    return _BEFORE_STOP.sub("", _collapsed(text))


def _collapsed(text: str) -> str:
    return " ".join(text.split())
