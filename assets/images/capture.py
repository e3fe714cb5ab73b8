"""Record the moving picture at the top of the README from the running app: python assets/images/capture.py"""

import io
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from ddpm_demo.bench.page import chromium

CANVAS = (578, 640)  # both parts of the film are laid onto one sheet of this size
WIDTH = 420  # of the finished picture


def shot(page: Page, selector: str) -> Image.Image:
    sheet = Image.new("RGB", CANVAS, "#f9fafb")
    sheet.paste(Image.open(io.BytesIO(page.locator(selector).screenshot())))
    return sheet.resize((WIDTH, CANVAS[1] * WIDTH // CANVAS[0]), Image.Resampling.LANCZOS).quantize(
        20, dither=Image.Dither.NONE
    )


def set_slider(page: Page, within: str, value: int) -> None:
    page.eval_on_selector(
        f"{within} input[type=range]",
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', {bubbles: true})); }",
        value,
    )


def record(address: str) -> list[tuple[Image.Image, int]]:
    """Return frames and how many milliseconds each stays: a drag of t, then a film of sixteen digits."""
    frames = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 690, "height": 1600}, color_scheme="light")
        page.goto(f"{address}?__theme=light")
        page.wait_for_selector("#noise-view canvas")
        for t in [*range(0, 480, 30), *range(500, 1000, 125), 999]:
            set_slider(page, "#noise-view", t)
            frames.append((shot(page, "#noise-view"), 90))
        page.locator("#tab-generate-button").click()
        page.wait_for_selector("#generate-film canvas")
        page.locator("#generate-start").click()
        page.wait_for_function(
            "document.querySelector('#generate-film canvas').dataset.frame"
            " && document.querySelector('#generate-film progress').value === 1",
            timeout=300_000,
        )
        last = int(page.get_attribute("#generate-film canvas", "data-received")) - 1
        for k in range(25):
            set_slider(page, "#generate-film", round(last * (k / 24) ** 0.7))
            frames.append((shot(page, "#generate-film"), 90 if k < 24 else 2500))
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
