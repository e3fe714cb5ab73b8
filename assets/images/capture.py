"""Record the moving picture at the top of the README from the running app: python assets/images/capture.py"""

import io
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

SIZE = {"width": 820, "height": 640}
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


def shot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("L").quantize(24)


def set_slider(page: Page, within: str, value: int) -> None:
    page.eval_on_selector(
        f"{within} input[type=range]",
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', {bubbles: true})); }",
        value,
    )


def record(address: str) -> list[tuple[Image.Image, int]]:
    """Return frames and how many milliseconds each stays: a drag of t, then a film of sixteen digits."""
    frames = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(f"{address}?__theme=light")
        page.wait_for_selector("#noise-view canvas")
        page.locator("#noise-view").scroll_into_view_if_needed()
        page.evaluate("window.scrollTo(0, document.querySelector('#noise-view').getBoundingClientRect().top - 16)")
        for t in [*range(0, 500, 25), *range(500, 1000, 100), 999]:
            set_slider(page, "#noise-view", t)
            frames.append((shot(page), 90))
        page.get_by_role("tab", name="Generate").click()
        page.wait_for_selector("#generate-film canvas")
        page.locator("#generate-start").click()
        page.wait_for_function(
            "document.querySelector('#generate-film canvas').dataset.frame"
            " && document.querySelector('#generate-film progress').value === 1",
            timeout=300_000,
        )
        page.evaluate("window.scrollTo(0, document.querySelector('#generate-film').getBoundingClientRect().top - 8)")
        last = int(page.get_attribute("#generate-film canvas", "data-received")) - 1
        for k in range(0, 31):
            set_slider(page, "#generate-film", round(last * (k / 30) ** 0.7))
            frames.append((shot(page), 90 if k < 30 else 2500))
        browser.close()
    return frames


def main() -> None:
    server = subprocess.Popen([sys.executable, "-m", "ddpm_demo", "app"], stdout=subprocess.PIPE, text=True)
    try:
        frames = record(server.stdout.readline().split("open ")[1].split()[0])
    finally:
        server.terminate()
    pictures, durations = zip(*frames, strict=True)
    target = Path(__file__).with_name("app.gif")
    pictures[0].save(target, save_all=True, append_images=pictures[1:], duration=list(durations), loop=0)
    print(f"{target}: {len(pictures)} frames, {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
