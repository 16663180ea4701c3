"""The pictures of README and docs, taken from a running demo.

make screenshots
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
PORT = 8123
URL = f"http://127.0.0.1:{PORT}"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
#: Page -> the widths it is shown at; each in both colour schemes.
PAGES = {"annotate": (1440, 1024, 390), "report": (1440, 390), "queue": (1440,), "draws": (1440,), "codebook": (1440,)}
HEIGHTS = {1440: 900, 1024: 768, 390: 844}


def serve(folder: Path) -> subprocess.Popen[str]:
    """The demo with a turned wheel, in a folder of its own."""
    command = [sys.executable, "-c", "from thumbwheel.cli.main import main; main()", "demo"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("THUMBWHEEL_")}
    process = subprocess.Popen(
        [*command, "--auto-label", "--port", str(PORT)], cwd=folder, env=env, text=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    while not re.search(r"Next:", line := process.stdout.readline()):
        if not line:
            raise SystemExit("the demo did not start")
    time.sleep(3)
    return process


def sign_in(page: Page) -> None:
    """As the demo's own user."""
    page.goto(URL)
    page.get_by_label("Name").fill("demo")
    page.get_by_label("Password").fill("thumbwheel")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")


def take(browser: Browser, scheme: str, suffix: str) -> None:
    """Every page in one colour scheme."""
    context = browser.new_context(color_scheme=scheme, device_scale_factor=1)
    page = context.new_page()
    sign_in(page)
    for name, width in ((name, width) for name, widths in PAGES.items() for width in widths):
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        page.goto(f"{URL}/{name}")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=IMAGES / f"{name}-{width}{suffix}.png")
    context.close()


def main() -> None:
    """Take them all."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        process = serve(Path(folder))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
                for scheme, suffix in (("light", ""), ("dark", "-dark")):
                    take(browser, scheme, suffix)
                browser.close()
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
