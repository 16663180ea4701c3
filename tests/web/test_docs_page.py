"""The page of the HTTP doors: there without the internet."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Reviewer

pytestmark = pytest.mark.browser


def test_the_doors_can_be_tried_by_hand_and_nothing_comes_from_elsewhere(sit: Callable[..., Reviewer]) -> None:
    page = sit("ann", "/docs").page
    expect(page.locator("h1, h2.title").first).to_contain_text("thumbwheel")
    expect(page.get_by_text("/v1/traces/batch").first).to_be_visible()
