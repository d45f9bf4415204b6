"""`boringml page`: where the pages are, and a link for who has no credentials."""

from pathlib import Path

import boto3
import pytest

from boringml.adapters.object_store import ObjectStore
from tests.unit.cli.conftest import LAKE, World


@pytest.fixture
def written(world: World) -> World:
    lake = ObjectStore(boto3.client("s3"), LAKE)
    lake.write_page("pages/index.html", "<p>all</p>")
    lake.write_page("pages/credit.html", "<p>credit</p>")
    return world


def test_pages_come_together_so_that_their_links_work(written: World, tmp_path: Path) -> None:
    shown = written.json("page", "credit", "--folder", str(tmp_path))
    assert shown["path"] == str(tmp_path / "credit.html")
    assert (tmp_path / "credit.html").read_text() == "<p>credit</p>"
    assert (tmp_path / "index.html").read_text() == "<p>all</p>"


def test_without_a_model_it_is_the_page_of_all(written: World, tmp_path: Path) -> None:
    assert written.json("page", "--folder", str(tmp_path))["path"].endswith("index.html")


def test_a_link_is_signed_and_ends(written: World) -> None:
    shown = written.json("page", "credit", "--link")
    assert "pages/credit.html" in shown["url"]
    assert "X-Amz-Signature" in shown["url"] or "Signature=" in shown["url"]
    assert shown["seconds"] == 3600


def test_a_link_is_one_line_however_long_it_is(
    written: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"https://lake.example.com/pages/credit.html?token={'[a]' * 200}"
    monkeypatch.setattr(ObjectStore, "url", lambda *_given: url)
    assert written.run("page", "credit", "--link").stdout == f"{url}\n"


@pytest.mark.parametrize("below", [(), ("pages",)])
def test_a_file_is_no_folder_for_pages(
    written: World, tmp_path: Path, below: tuple[str, ...]
) -> None:
    (tmp_path / "README.md").write_text("mine")
    folder = tmp_path.joinpath("README.md", *below)
    error = written.refusal("page", "--folder", str(folder))
    assert error["code"] == "folder_unusable"
    assert "--folder" in error["message"]
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_page_that_is_not_there_is_told(written: World, world: World) -> None:
    assert written.refusal("page", "nobody")["code"] == "page_not_found"


def test_a_page_is_html_that_no_browser_keeps(written: World) -> None:
    found = boto3.client("s3").head_object(Bucket=LAKE, Key="pages/credit.html")
    assert found["ContentType"] == "text/html; charset=utf-8"
    assert found["CacheControl"] == "no-store"
