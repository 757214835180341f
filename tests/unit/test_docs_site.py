"""The site as `make docs-site` builds it: every page of docs/, and nothing that a browser loads from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: What a browser fetches by itself, unlike the target of a link.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|link(?![^>]*rel="?canonical))[^>]*?(?:src|href)="?(https?:[^" >]+)"""
)
STYLES = re.compile(r"""(?:@import|url\()\s*["']?(https?:[^"')]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(folder),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_each_page_is_on_the_site(site: Path):
    for page in (ROOT / "docs").rglob("*.md"):
        path = page.relative_to(ROOT / "docs").with_suffix("")
        folder = path.parent if path.name == "index" else path
        assert (site / folder / "index.html").is_file(), page
    assert (site / "reference/chart/index.html").is_file()


def test_no_page_loads_anything_from_another_host(site: Path):
    for page in site.rglob("*.html"):
        assert LOADED.findall(page.read_text()) == [], page
    for style in site.rglob("*.css"):
        assert STYLES.findall(style.read_text()) == [], style


def test_no_page_asks_the_repository_for_its_stars(site: Path):
    for page in site.rglob("*.html"):
        assert 'data-md-component="source"' not in page.read_text(), page


def test_links_out_of_the_pages_lead_to_the_repository(site: Path):
    page = (site / "how-to/build-secrets/index.html").read_text()
    assert "https://github.com/imagebuild-dev/imagebuild-operator/blob/main/examples/build-secrets.yaml" in page
    assert "/../examples/" not in page
