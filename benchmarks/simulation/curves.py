"""Small SVG charts: no script, no font of their own, legible on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

#: Colours of middle lightness stand out on white and on black; text follows the reader's system.
COLOURS: Final = ("#2a78d6", "#d9622b", "#1a9a6c", "#a257c9", "#c08a00", "#d6457f", "#5b7f95", "#8a6d4f")
_STYLE: Final = """
text{font:12px system-ui,sans-serif;fill:#444}
.title{font-weight:600;font-size:13px;fill:#222}.rule{stroke:#8886;stroke-width:1}.axis{stroke:#888}
@media (prefers-color-scheme:dark){text{fill:#bbb}.title{fill:#eee}}
"""
_LEFT, _TOP, _BOTTOM = 46.0, 34.0, 42.0
_LINE: Final = 14.0


@dataclass(slots=True)
class Panel:
    """One pair of axes, from the bottom left corner of which everything is counted."""

    title: str
    x_title: str
    x_most: float
    y_most: float
    width: float = 470.0
    height: float = 300.0
    #: Room at the right for the names of lines.
    right: float = 140.0
    x_first: float = 0.0
    y_form: Callable[[float], str] = "{:g}".format
    drawn: list[str] = field(default_factory=list)
    _names: list[tuple[float, str, str]] = field(default_factory=list)

    def x(self, value: float) -> float:
        """Where a value lies across."""
        return _LEFT + (self.width - _LEFT - self.right) * (value - self.x_first) / (self.x_most - self.x_first)

    def y(self, value: float) -> float:
        """Where a value lies down."""
        return self.height - _BOTTOM - (self.height - _BOTTOM - _TOP) * min(value, self.y_most) / self.y_most

    def line(self, name: str, points: Sequence[tuple[float, float]], colour: str, dash: str = "") -> None:
        """A line through points, named at its right end."""
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>')
        self._names.append((self.y(points[-1][1]), name, colour))

    def span(self, x: float, low: float, high: float, at: float, colour: str) -> None:
        """An interval and the point in it."""
        place, ends = self.x(x), (self.y(low), self.y(high))
        self.drawn.append(
            f'<line x1="{place:.1f}" x2="{place:.1f}" y1="{ends[0]:.1f}" y2="{ends[1]:.1f}" stroke="{colour}" '
            f'stroke-width="5" stroke-opacity=".45"/><circle cx="{place:.1f}" cy="{self.y(at):.1f}" r="4" fill="{colour}"/>'
        )

    def mark(self, x: float, words: str) -> None:
        """A line across the panel where something happened."""
        place = self.x(x)
        self.drawn.append(
            f'<line class="rule" x1="{place:.1f}" x2="{place:.1f}" y1="{_TOP:g}" y2="{self.y(0):.1f}" '
            f'stroke-dasharray="3 3"/><text x="{place + 4:.1f}" y="{self.y(0) - 6:.1f}">{escape(words)}</text>'
        )

    def svg(self, ticks: Mapping[float, str], y_ticks: Sequence[float]) -> str:
        """The panel's own elements."""
        base, end = self.y(0), self.x(self.x_most)
        parts = [f'<text class="title" x="0" y="14">{escape(self.title)}</text>']
        parts += [
            f'<line class="rule" x1="{_LEFT:g}" x2="{end:.1f}" y1="{self.y(value):.1f}" y2="{self.y(value):.1f}"/>'
            f'<text x="{_LEFT - 6:g}" y="{self.y(value) + 4:.1f}" text-anchor="end">{self.y_form(value)}</text>'
            for value in y_ticks
        ]
        parts.append(f'<line class="axis" x1="{_LEFT:g}" x2="{end:.1f}" y1="{base:.1f}" y2="{base:.1f}"/>')
        for value, words in ticks.items():
            parts.append(
                f'<text x="{self.x(value):.1f}" y="{base + 16:.1f}" text-anchor="middle">{escape(words)}</text>'
            )
        middle = (_LEFT + end) / 2
        parts.append(f'<text x="{middle:.1f}" y="{base + 34:.1f}" text-anchor="middle">{escape(self.x_title)}</text>')
        return "\n".join([*parts, *self.drawn, *self._labels(end)])

    def _labels(self, end: float) -> list[str]:
        """Names beside the ends of their lines, pushed apart where they would touch."""
        placed: list[str] = []
        last = -_LINE
        for y, name, colour in sorted(self._names):
            last = max(y + 4, last + _LINE)
            placed.append(f'<text x="{end + 8:.1f}" y="{last:.1f}" style="fill:{colour}">{escape(name)}</text>')
        return placed


def figure(words: str, panels: Sequence[tuple[Panel, Mapping[float, str], Sequence[float]]]) -> str:
    """Panels side by side; `words` say what a reader who cannot see them would miss."""
    width, height = sum(panel.width for panel, _, _ in panels), max(panel.height for panel, _, _ in panels)
    parts, left = [], 0.0
    for panel, ticks, y_ticks in panels:
        parts.append(f'<g transform="translate({left:g} 0)">\n{panel.svg(ticks, y_ticks)}\n</g>')
        left += panel.width
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img">\n'
        f"<title>{escape(words)}</title>\n<style>{_STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )
