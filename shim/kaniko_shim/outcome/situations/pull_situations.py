"""Situations of pulling a base image."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.situation import row

PULL = (
    row(
        "not for this platform",
        r"no child with platform (?P<platform>\S+)",
        Reason.BASE_IMAGE_NOT_FOUND,
        "{image} is not made for {platform}",
        "Use a base image for that platform, or let the build run on a node of the image's.",
    ),
    row(
        "no base image",
        r"MANIFEST_UNKNOWN|NAME_UNKNOWN|status code 404|not found on any configured mapped registries|NAME_INVALID",
        Reason.BASE_IMAGE_NOT_FOUND,
        "The base image {image} does not exist: {error}",
    ),
    row(
        "base image refused",
        r"UNAUTHORIZED|DENIED|status code 40[13]|authentication required",
        Reason.BASE_IMAGE_UNAUTHORIZED,
        "{registry} refused to hand out {image}: {error}",
    ),
)
