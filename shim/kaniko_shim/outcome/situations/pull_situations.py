"""Situations of pulling a base image."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.registry_answer import MISSING, UNAUTHORIZED
from kaniko_shim.outcome.situations.situation import HELPER, answer_row, row

PULL = (
    row(
        "not for this platform",
        r"no child with platform (?P<platform>\S+)",
        Reason.BASE_IMAGE_NOT_FOUND,
        "{image} is not available for {platform}",
        "Use a base image for that platform, or build on a node of the image's platform.",
    ),
    row(
        "credential helper failed",
        HELPER,
        Reason.BASE_IMAGE_UNAUTHORIZED,
        "The credential helper for {registry} failed: {error}",
        "Correct what the docker-credential-… program needs that the Docker config names, or remove it there.",
    ),
    row(
        "no base image",
        r"not found on any configured mapped registries",
        Reason.BASE_IMAGE_NOT_FOUND,
        "The base image {image} does not exist: {error}",
    ),
    answer_row(
        "no base image",
        MISSING | {"NAME_INVALID"},
        Reason.BASE_IMAGE_NOT_FOUND,
        "The base image {image} does not exist: {error}",
    ),
    answer_row(
        "base image refused",
        UNAUTHORIZED,
        Reason.BASE_IMAGE_UNAUTHORIZED,
        "{registry} denied access to {image}: {error}",
    ),
)
