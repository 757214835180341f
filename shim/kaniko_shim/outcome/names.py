"""Removes the names of images from an error, so that no name is taken for a part of the message."""

import re
from collections.abc import Iterable, Iterator

CUT = "…"

_URL = re.compile(r"https?://[^\s\"']+?(?=[:;,.]?(?:[\s\"']|$))")
_HOST = re.compile(r"\b(lookup|dial tcp|read tcp|write tcp) [^\s:]\S*?(?=:? |:?$)")
_DIGEST = re.compile(r"sha256:[0-9a-f]+")
# What the registry adds to its message about the request.
_DETAIL = re.compile(r"; \[?map\[.*$", re.DOTALL)
_QUOTES = "'\"`"


def cut_names(error: str, images: Iterable[str]) -> str:
    """The error without URLs, host names, digests, and the names of the given images in any form.

    A name that is a single word, such as `quota`, is cut only where it is quoted; elsewhere it looks like any word.
    """
    text = _DETAIL.sub("", error)
    for pattern, replacement in ((_URL, CUT), (_HOST, rf"\1 {CUT}"), (_DIGEST, CUT)):
        text = pattern.sub(replacement, text)
    forms = {form for image in images for form in _forms(image) if form}
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        text = _pattern(form).sub(CUT, text)
    return text


def _pattern(form: str) -> re.Pattern[str]:
    if any(character in "/:.@" for character in form):
        return re.compile(rf"(?<![\w./:@-]){re.escape(form)}(?![\w/@-]|[.:]\w)")
    return re.compile(rf"(?<=[{_QUOTES}]){re.escape(form)}(?=[{_QUOTES}])")


def _forms(image: str) -> Iterator[str]:
    """An image's name as a whole and in the parts that messages name: repository, path, tag, host."""
    name, _, digest = image.partition("@")
    head, slash, tail = name.rpartition("/")
    last, _, tag = tail.partition(":")
    repository = head + slash + last
    host, _, path = repository.partition("/")
    yield from (image, name, repository, path, digest, tag, last, host, host.partition(":")[0])
    if tag:
        yield from (f"{path}:{tag}", f"{last}:{tag}")
