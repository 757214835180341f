"""Pushes what an engine wants to find in the cache the next time."""

import re
from dataclasses import replace

from kaniko_shim.oci.layout import check_layout
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.registry.cache_repo import CachePolicy
from kaniko_shim.registry.push import Pusher
from kaniko_shim.registry.references import parse_reference

CACHE_LAYOUT = "cache"
"""The layout of the cache, in that of the image."""

# The build names a tag, and never one of an image: it must not choose what is overwritten.
_TAG = re.compile(r"buildkit-[0-9a-f]{16}")


def push_cache(pusher: Pusher, cache: CachePolicy | None) -> None:
    """Push the cache that lies in the layout of a pusher, if there is one. What goes wrong causes only a warning.

    Args:
        pusher: pushes the image.
        cache: what the request says of it; None for no cache.
    """
    layout = pusher.layout / CACHE_LAYOUT
    if cache is None or cache.read_only or not (layout / "index.json").exists():
        return
    try:
        found = check_layout(layout, may_lack_layers=True)
        if not _TAG.fullmatch(found.tag):
            pusher.job.warn("The cache could not be written: the build has not named it.")
            return
        where = replace(parse_reference(cache.repo), tag=found.tag)
        replace(pusher, layout=layout, digest=found.digest, absent=found.absent).push(where)
    except JobError as error:
        pusher.job.warn(f"The cache could not be written: {error.failure.message}")
