"""Pages lead to each other: nothing is linked that is not there, nothing lies there unfound."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("models/*/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")


def links(page: Path) -> list[Path]:
    """Return the files that a page links."""
    found = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    return [(page.parent / link).resolve() for link in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_is_there(page: Path) -> None:
    assert [str(path) for path in links(page) if not path.exists()] == []


@pytest.mark.parametrize("folder", ["adr", "runbooks"])
def test_an_index_has_each_page_by_its_heading(folder: str) -> None:
    home = ROOT / "docs" / folder
    pages = [path for path in sorted(home.glob("*.md")) if path.name != "README.md"]
    expected = [f"- [{path.read_text().splitlines()[0][2:]}]({path.name})" for path in pages]
    lines = (home / "README.md").read_text().splitlines()
    assert [line for line in lines if line.startswith("- ")] == expected


def test_each_page_is_found_from_the_readme() -> None:
    found, new = set[Path](), {ROOT / "README.md"}
    while new:
        page = new.pop()
        found.add(page)
        new |= {path for path in links(page) if path.suffix == ".md" and path.exists()} - found
    lost = {path for path in PAGES if path not in found and path.is_relative_to(ROOT / "docs")}
    assert lost == set()


def test_each_command_of_make_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        (page.name, target)
        for page in PAGES
        for target in re.findall(r"`make ([a-z-]+)`", page.read_text())
    }
    assert {item for item in named if item[1] not in targets} == set()
