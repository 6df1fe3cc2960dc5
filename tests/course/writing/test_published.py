"""One place says where the course is published; everything else follows."""

import re
import shutil
from urllib.parse import unquote

import pytest
import yaml

from course.errors import UserError
from course.writing import published
from course.writing.units import ROOT


@pytest.fixture
def publish(tmp_path):
    """A function that makes a checkout, published at an address."""
    shutil.copy(ROOT / "README.md", tmp_path)
    original = (ROOT / "pyproject.toml").read_text()
    text = re.sub(r"^\[project\.urls\]\nRepository = .*\n", "", original, flags=re.MULTILINE)

    def at(url):
        urls = f'\n[project.urls]\nRepository = "{url}"\n' if url else ""
        (tmp_path / "pyproject.toml").write_text(text + urls)
        return tmp_path

    return at


def test_before_it_is_published_nothing_points_anywhere(publish):
    root = publish(None)
    assert published.repository(root) is None
    assert published.published_block(root) == ""
    assert "repository-code" not in published.citation(root)


def test_badge_links_and_citation_follow_the_address(publish):
    root = publish("https://github.com/someone/small-models")
    assert published.repository(root) == "someone/small-models"
    addresses = re.findall(r"\((https://[^)]+)\)", published.published_block(root))
    assert "https://github.com/someone/small-models" in addresses
    binder = next(a for a in addresses if "/v2/gh/someone/small-models/HEAD?" in a)
    assert (ROOT / unquote(binder).partition("urlpath=lab/tree/")[2]).is_file()
    cited = yaml.safe_load(published.citation(root))
    assert cited["repository-code"] == "https://github.com/someone/small-models"


@pytest.mark.parametrize(
    "url", ["github.com/a/b", "https://github.com/a", "https://example.org/a/b"]
)
def test_another_address_is_refused(publish, url):
    with pytest.raises(UserError, match="Repository must be https://github.com/OWNER/NAME"):
        published.repository(publish(url))


def test_the_citation_is_valid_and_up_to_date():
    cited = yaml.safe_load((ROOT / published.CITATION).read_text())
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= cited.keys()
    assert cited["type"] == "software" and all(author["name"] for author in cited["authors"])
    assert cited["version"] == published._project(ROOT)["version"]
    assert published.citation_drift() == []


def test_a_citation_that_differs_is_drift(publish):
    root = publish(None)
    assert "CITATION.cff differs" in published.citation_drift(root)[0]
    published.update_citation(root)
    assert published.citation_drift(root) == []
    publish("https://github.com/someone/small-models")
    assert "CITATION.cff differs" in published.citation_drift(root)[0]
