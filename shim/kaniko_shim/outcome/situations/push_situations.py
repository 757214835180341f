"""Situations of pushing an image."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.situation import row

PUSH = (
    row(
        "immutable tag",
        r"cannot be overwritten|[Ii]mmutable",
        Reason.PUSH_REJECTED,
        "{registry} does not let the tag be overwritten: {error}",
        "Push another tag, or let the repository's tags be overwritten.",
    ),
    row(
        "quota",
        r"QUOTA|[Qq]uota|exceed the configured upper limit",
        Reason.PUSH_REJECTED,
        "{registry} has no room for the image: {error}",
        "Delete old images there, or raise the quota.",
    ),
    row(
        "push refused",
        r"UNAUTHORIZED|DENIED|status code 40[13]|unauthorized|authentication required|no basic auth",
        Reason.REGISTRY_UNAUTHORIZED,
        "{registry} refused the push; the credentials are missing or do not suffice: {error}",
    ),
    row(
        "no such repository",
        r"NAME_UNKNOWN|status code 404",
        Reason.PUSH_REJECTED,
        "{registry} does not have the repository: {error}",
        "Check the name; some registries want the repository or project to be created first.",
    ),
    row(
        "push rejected",
        r"MANIFEST_INVALID|BLOB_UNKNOWN|TAG_INVALID|NAME_INVALID|UNSUPPORTED|SIZE_INVALID|status code 4\d\d",
        Reason.PUSH_REJECTED,
        "{registry} rejected the push: {error}",
    ),
)
