"""Pictures of a page for the docs: `.venvs/browser/bin/python -m tools.page_pictures [PAGE]`.

Takes .local/pages/credit.html of a demo, at the widths of a phone and of a desktop.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from local.paths import DEFAULT_HOME, ROOT
from tools.chromium import chromium

# Width, and how much of the page's length is shown, in pixels.
SIZES = {"phone": (360, 2200), "desktop": (1280, 1560)}


def main() -> None:
    """Write docs/pictures/operations-page-{phone,desktop}.png."""
    page = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_HOME / "pages" / "credit.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for name, (width, height) in SIZES.items():
            shown = browser.new_page(viewport={"width": width, "height": height})
            shown.goto(page.resolve().as_uri())
            path = ROOT / "docs" / "pictures" / f"operations-page-{name}.png"
            shown.screenshot(path=str(path))
            sys.stdout.write(f"{path.relative_to(ROOT)} {path.stat().st_size // 1024} KB\n")
        browser.close()


if __name__ == "__main__":
    main()
