"""The container that looks for vulnerabilities in an image between `build` and `push`.

It is the builder image's, with the scanner and its database as volumes that are images: no build can write them, nodes
keep them, and no other image runs in a build pod.
"""

from typing import Any, Final

from imagebuild_vocabulary.names import SCAN

from imagebuild_operator.api.build import BuildSpec
from imagebuild_operator.pod.env import Variable, plain
from imagebuild_operator.pod.unprivileged import RESULTS, RUN_PATH, UNPRIVILEGED
from imagebuild_operator.pod.variables import LAYOUT_PATH

SCANNER_PATH: Final = "/kaniko/.scanner"
DATABASE_PATH: Final = "/kaniko/.vulnerabilities"
#: What it hands over to `push`.
PASSED_PATH: Final = "/kaniko/.scanned"


def is_scanned(spec: BuildSpec) -> bool:
    """Whether the image is scanned before it is pushed."""
    return spec.push and spec.vulnerabilities is not None


def scan_containers(spec: BuildSpec, image: dict[str, Any], resources: dict[str, Any]) -> list[dict[str, Any]]:
    """The container, if the image is scanned.

    Args:
        spec: What to build.
        image: The fields of the builder image.
        resources: Its resources: those of the build, beside which it takes no room.
    """
    gate = spec.vulnerabilities
    if gate is None or not spec.push:
        return []
    return [
        {
            "name": SCAN,
            **image,
            "args": [SCAN],
            "env": [
                *plain("SCAN_SEVERITY", gate.severity),
                *plain("SCAN_ONLY_FIXED", "true" if gate.only_fixed else None),
                *plain("SCAN_IGNORE", ",".join(gate.ignored)),
                *plain("SCAN_OPENVEX", gate.openvex),
                *plain("SBOM", spec.attestations.sbom),
            ],
            "resources": resources,
            "securityContext": dict(UNPRIVILEGED),
            "volumeMounts": [
                {"name": "layout", "mountPath": LAYOUT_PATH, "readOnly": True},
                {"name": "scanner", "mountPath": SCANNER_PATH, "readOnly": True},
                {"name": "database", "mountPath": DATABASE_PATH, "readOnly": True},
                {"name": "scan", "mountPath": RUN_PATH, "subPath": "own"},
                {"name": "scan", "mountPath": PASSED_PATH, "subPath": "passed"},
            ],
            **RESULTS,
        }
    ]


def scan_volumes(spec: BuildSpec) -> list[dict[str, Any]]:
    """Its volumes."""
    gate = spec.vulnerabilities
    if gate is None or not spec.push:
        return []
    return [
        {"name": "scan", "emptyDir": {}},
        {"name": "scanner", "image": {"reference": gate.scanner}},
        {"name": "database", "image": {"reference": gate.database}},
    ]


def passed_variables(spec: BuildSpec) -> list[Variable]:
    """The variables of `push` about it."""
    return plain("REQUIRE_SCAN", "true" if is_scanned(spec) else None)


def passed_mounts(spec: BuildSpec) -> list[dict[str, Any]]:
    """What `push` reads of it."""
    mount = {"name": "scan", "mountPath": PASSED_PATH, "subPath": "passed", "readOnly": True}
    return [mount] if is_scanned(spec) else []
