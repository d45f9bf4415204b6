"""The operations pages in a real headless Chromium, on a phone and a desktop, in light and dark.

`make page-proof` runs them: it brings the browser and its driver. Pages that a demo left in
.local/pages are looked at too.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boringml.monitoring.page.model_page import model_page
from boringml.monitoring.page.platform_page import platform_page
from local.paths import DEFAULT_HOME
from tests.unit.monitoring.page.test_pages import hostile
from tools.chromium import chromium
from tools.page_sample import SAMPLES, platform

pytestmark = pytest.mark.browser

WIDTHS = {"phone": (360, 740), "desktop": (1280, 900)}
MADE_UP = [*SAMPLES, "hostile", "platform"]
OF_A_DEMO = [str(path) for path in sorted((DEFAULT_HOME / "pages").glob("*.html"))]
# What axe-core calls these stops somebody from using the page.
GRAVE = ("serious", "critical")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    # The driver is in the environment of `make page-proof` alone.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # root has no sandbox, in CI as in a container; the pages are our own.
        running = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    pages = {name: model_page(sample()) for name, sample in SAMPLES.items()}
    pages |= {"hostile": model_page(hostile()), "platform": platform_page(platform())}
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page)
    return {name: folder / f"{name}.html" for name in pages}


class Visit:
    """A page in the browser, and all that it did."""

    def __init__(self, browser: Any, path: Path, size: str, scheme: str) -> None:
        width, height = WIDTHS[size]
        self.trouble: list[str] = []
        self.page = browser.new_page(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        self.page.on("console", lambda message: self.trouble.append(message.text))
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("dialog", lambda dialog: self.trouble.append(dialog.message))
        self.requests: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.url = path.as_uri()
        self.page.goto(self.url)
        # What is folded away is looked at as well.
        self.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    def findings(self) -> list[str]:
        """Return what the accessibility checker finds grave."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [
            f"{item['id']} ({item['impact']}): {json.dumps(item['nodes'][0]['target'])}"
            for item in found
            if item["impact"] in GRAVE
        ]

    def wider_than_the_screen(self) -> bool:
        script = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(self.page.evaluate(script))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("name", [*MADE_UP, *OF_A_DEMO])
def test_a_page_is_quiet_accessible_alone_and_fits(
    browser: Any, made_up: dict[str, Path], name: str, size: str, scheme: str
) -> None:
    visit = Visit(browser, made_up.get(name) or Path(name), size, scheme)
    assert visit.findings() == []
    assert not visit.wider_than_the_screen()
    assert visit.requests == [visit.url]
    assert visit.trouble == []
    visit.page.close()


def test_the_three_answers_are_on_the_first_screen_of_a_desktop(
    browser: Any, made_up: dict[str, Path]
) -> None:
    page = Visit(browser, made_up["harmed"], "desktop", "light").page
    for question in ("What changed?", "What does it cost?", "Should we roll back?"):
        box = page.get_by_role("heading", name=question).bounding_box()
        assert box is not None
        assert box["y"] < WIDTHS["desktop"][1] / 2
    command = page.get_by_text("boringml rollback credit").bounding_box()
    assert command is not None
    assert command["y"] + command["height"] < WIDTHS["desktop"][1]


def test_the_advice_is_on_the_first_screen_of_a_phone(
    browser: Any, made_up: dict[str, Path]
) -> None:
    page = Visit(browser, made_up["harmed"], "phone", "light").page
    box = page.get_by_text("Roll back? Yes").bounding_box()
    assert box is not None
    assert box["y"] < WIDTHS["phone"][1] / 2


def test_the_keyboard_finds_the_way(browser: Any, made_up: dict[str, Path]) -> None:
    page = Visit(browser, made_up["full"], "desktop", "light").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answers"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#answers"


def test_each_section_is_a_landmark_that_its_link_leads_to(
    browser: Any, made_up: dict[str, Path]
) -> None:
    page = Visit(browser, made_up["full"], "desktop", "light").page
    links = page.get_by_role("navigation", name="Sections").get_by_role("link")
    names = [link.text_content() for link in links.all()]
    assert len(names) == 8
    for name in names:
        assert page.get_by_role("region", name=name, exact=True).count() == 1


def test_what_a_checker_must_find_is_found(browser: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<html><title>x</title><script>console.error('no')</script>"
        "<p style='color:#ccc;width:2000px'>pale</p><img src='http://127.0.0.1:9/x.png'>"
    )
    visit = Visit(browser, bad, "phone", "light")
    assert any(finding.startswith("color-contrast") for finding in visit.findings())
    assert any(finding.startswith("image-alt") for finding in visit.findings())
    assert visit.wider_than_the_screen()
    assert len(visit.requests) == 2
    assert "no" in visit.trouble
