"""The effective spec of a build: its own spec, completed with the defaults in force."""

from dataclasses import replace

from imagebuild_operator.api.build import Bounds, ImageBuild
from imagebuild_operator.defaults.namespace import NamespaceDefaults
from imagebuild_operator.defaults.rules import complete


def with_defaults(build: ImageBuild, defaults: NamespaceDefaults) -> ImageBuild:
    """Give a build its effective spec.

    Before its first pod, a build follows the defaults in force. From then on it follows those in
    `status.appliedDefaults`, so that every attempt gets the same spec whatever becomes of the defaults.
    """
    if build.has_begun:
        applied, bounds = build.status.get("appliedDefaults") or {}, Bounds()
    else:
        applied, bounds = defaults.applied, defaults.bounds
    spec = complete(build.spec, applied.get("spec") or {})
    return replace(build, spec=spec, own_spec=build.spec, applied_defaults=applied, bounds=bounds)
