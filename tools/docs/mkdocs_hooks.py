"""Hooks of the documentation site (`mkdocs.yml`): pages from outside of docs/, and links to files there.

Pages link as GitHub wants it, by relative path. On the site, a link to a file outside of docs/ leads to the page made
of it, or else to the repository.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
#: Files of the repository that are pages of the site.
PAGES = {
    "CHANGELOG.md": "reference/changelog.md",
    "CONTRIBUTING.md": "explanation/contributing.md",
    "SECURITY.md": "explanation/security.md",
    "charts/imagebuild-operator/README.md": "reference/chart.md",
}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of PAGES."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=relink(text, source, page, str(config.repo_url))))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the links of a page that lead out of docs/."""
    del files
    name = page.file.src_uri
    if name in PAGES.values():
        return markdown
    return relink(markdown, f"docs/{name}", name, str(config.repo_url))


def relink(text: str, source: str, page: str, repository: str) -> str:
    """Make the links of a file right for the site.

    Args:
        text: its Markdown.
        source: path of the file in the repository.
        page: path of its page in the site's sources.
        repository: URL of the repository.
    """

    def target(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        if path.startswith("docs/"):
            inside = path.removeprefix("docs/")
        elif path in PAGES:
            inside = PAGES[path]
        else:
            kind = "tree" if (ROOT / path).is_dir() else "blob"
            return f"{repository.rstrip('/')}/{kind}/main/{path}{link[2] or ''}"
        return posixpath.relpath(inside, posixpath.dirname(page) or ".") + (link[2] or "")

    return LINK.sub(target, text)
