"""Check the pages that people read: links lead somewhere, and a test runs each command or a mark says why not."""

import posixpath
import re
import sys
import urllib.parse
from collections.abc import Iterator
from functools import cache

from pages import MANIFEST, ROOT, SHELL, YAML, Block, all_known, anchors, blocks, links, pages

#: Names the pages whose commands it runs.
IMAGES_TEST = "tests/images/test_pages.py"
#: The marks of a block, and what each demands.
RUN = re.compile(r"run: (e2e|images)")
TESTED = re.compile(r"tested: (\S+)")
NOT_RUN = re.compile(r"not run: \S.*")
FRAGMENT = re.compile(r"values|spec|defaults")
#: Waits on after a failure, which has the condition Succeeded=False.
HANGS = re.compile(r"kubectl wait (?!.*--timeout=0\b)(?=.*\bimagebuild/).*--for=condition=Succeeded\b")


def main() -> int:
    """Print what is wrong; returns 1 if something is."""
    found = [problem for page in pages() for problem in (*check_links(page), *check_blocks(page))]
    print("\n".join(found) or f"docs: links and command blocks of {len(pages())} pages checked")
    return 1 if found else 0


def check_links(page: str) -> Iterator[str]:
    """What is wrong with a page's links within the repository."""
    for link in links(page):
        if urllib.parse.urlsplit(link).scheme or link.startswith("//"):
            continue
        path, _, fragment = urllib.parse.unquote(link).partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
        if not (ROOT / target).exists():
            yield f"{page}: the link {link} leads to nothing"
        elif fragment and target.endswith(".md") and fragment not in _anchors(target):
            yield f"{page}: the link {link} names a heading that {target} does not have"


def check_blocks(page: str) -> Iterator[str]:
    """What is wrong with the marks of a page's blocks."""
    for block in blocks(page):
        if block.language in SHELL:
            yield from _check_mark(block)
            if HANGS.search(block.commands()):
                yield f"{block.place}: after a failure, that would wait on: wait for Finished, then --timeout=0"
            if not block.commands().strip():
                yield f"{block.place}: no line of this console block begins with '$ '"
        elif block.language in YAML and not (MANIFEST.search(block.text) and all_known(block.text)):
            yield from _check_mark(block)


def _check_mark(block: Block) -> Iterator[str]:
    mark = block.mark
    tested = TESTED.fullmatch(mark)
    if tested or mark == "run: images":
        test = ROOT / (tested[1] if tested else IMAGES_TEST)
        if not test.is_file():
            yield f"{block.place}: {test.relative_to(ROOT)} does not exist"
        elif block.page not in test.read_text(encoding="utf-8"):
            yield f"{block.place}: {test.relative_to(ROOT)} does not name {block.page}"
    elif not (NOT_RUN.fullmatch(mark) or (RUN if block.language in SHELL else FRAGMENT).fullmatch(mark)):
        choices = "run: e2e, run: images" if block.language in SHELL else "values, spec, defaults"
        yield (
            f"{block.place}: the {block.language} block needs one of these comments on the line before it: "
            f"{choices}, tested: tests/…, not run: REASON"
        )


_anchors = cache(anchors)

if __name__ == "__main__":
    sys.exit(main())
