"""Situations of pushing an image."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.registry_answer import UNAUTHORIZED
from kaniko_shim.outcome.situations.situation import HELPER, answer_row, row

IMMUTABLE_TAG = "immutable tag"

# After a word, so that it does not match the beginning of a name such as quota-api.
_NO_NAME = r"(?![\w/:-]|\.\w)"

PUSH = (
    row(
        "credential helper failed",
        HELPER,
        Reason.REGISTRY_UNAUTHORIZED,
        "The credential helper for {registry} failed: {error}",
        "Correct what the docker-credential-… program needs that the Docker config names, or remove it there.",
    ),
    answer_row(
        IMMUTABLE_TAG,
        {"rejected"},
        Reason.PUSH_REJECTED,
        "{registry} does not allow the tag to be overwritten: {error}",
        "Push another tag, or allow tags of the repository to be overwritten.",
        pattern=r"^\w*IMMUTABLE\w*:|cannot be overwritten|does not allow updating"
        rf"|(?i:\b(?:is|are|as|be) immutable{_NO_NAME}|tag immutability|immutable tag)",
    ),
    answer_row(
        "quota",
        {"rejected"},
        Reason.PUSH_REJECTED,
        "{registry} has no room for the image: {error}",
        "Delete old images there, or raise the quota.",
        pattern=r"^\w{0,40}QUOTA\w{0,40}:|exceed the configured upper limit"
        r"|(?i:quota (?:\w+ ){0,3}(?:exceeded|reached|exhausted)|storage limit (?:\w+ ){0,2}(?:reached|exceeded)"
        rf"|(?:exceed\w{{0,10}}|over|insufficient|reached) (?:\w+ ){{0,4}}quota{_NO_NAME}|quota limit)",
    ),
    answer_row(
        "push refused",
        UNAUTHORIZED,
        Reason.REGISTRY_UNAUTHORIZED,
        "{registry} denied the push: {error}",
    ),
    # Each layer was pushed, or found there, before the manifest that names it. Registries show them late, or lose them
    # from sight while another pod pushes the same one: distribution rewrites the link of a layer in place.
    answer_row(
        "layer not visible",
        {"MANIFEST_BLOB_UNKNOWN"},
        Reason.REGISTRY_UNAVAILABLE,
        "{registry} does not find a layer that it has: {error}",
    ),
    answer_row(
        "no such repository",
        {"404", "NAME_UNKNOWN", "NOT_FOUND"},
        Reason.PUSH_REJECTED,
        "{registry} has no such repository: {error}",
        "Check the name; some registries need the repository or project to be created first.",
    ),
    answer_row(
        "push rejected",
        {"4xx"},
        Reason.PUSH_REJECTED,
        "{registry} rejected the image: {error}",
    ),
)
