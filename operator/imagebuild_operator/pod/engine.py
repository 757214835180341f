"""What a build is built with, and what its pod needs for that.

BuildKit's container has no privilege on the node. In a user namespace of the pod it makes another one, in which it
mounts file systems and starts RUN steps; three capabilities in the pod's are what that takes.
"""

from collections.abc import Iterator
from typing import Any, Final

from imagebuild_vocabulary.names import ENGINE_ANNOTATION

from imagebuild_operator.api.build import Attempts, BuildSpec, Engine
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.sources import KeyRef
from imagebuild_operator.pod.env import Variable, plain
from imagebuild_operator.pod.scan import is_scanned
from imagebuild_operator.pod.unprivileged import RUN_PATH
from imagebuild_operator.pod.variables import cache_variables
from imagebuild_operator.settings import BuildDefaults

#: What the build container of BuildKit writes: its state, the context, credentials, and what runc keeps. The root file
#: system of the image is read-only. The state has to lie on a disk: an overlay of a volume in memory loses directories.
WRITTEN: Final = {"state": "/kaniko/.buildkit", "context": "/kaniko/buildcontext", "own": RUN_PATH, "run": "/run"}
CAPABILITIES: Final = ("SETFCAP", "SETGID", "SETUID")
#: Flags of the executor that `push` reads.
OF_PUSH: Final = frozenset({"--push-ignore-immutable-tag-errors"})


def engine_of(spec: BuildSpec, defaults: BuildDefaults, attempts: Attempts = ()) -> Engine:
    """What the next attempt at a build is made with; never Auto.

    Args:
        spec: The build's spec.
        defaults: The operator's settings.
        attempts: Those that have ended.

    Raises:
        InvalidSpecError: the build asks for something that the engine which it asks for does not have.
    """
    asked = spec.engine or defaults.engine
    needed = next(_needs(spec), None)
    if asked is Engine.KANIKO:
        if needed is not None:
            raise needed
        return asked
    problem = next(_obstacles(spec, defaults), None)
    if asked is Engine.BUILDKIT or needed is not None:
        if problem is not None and needed is not None:
            raise InvalidSpecError(
                problem.path, f"only Kaniko has it, and only BuildKit has {needed.path}: leave one out"
            )
        if problem is not None:
            raise problem
        return Engine.BUILDKIT
    return Engine.KANIKO if problem is not None or was_unavailable(attempts) else Engine.BUILDKIT


def may_fall_back(spec: BuildSpec, defaults: BuildDefaults, attempts: Attempts) -> bool:
    """Whether a build that can't use BuildKit here goes on with Kaniko: once, if the engine is Auto.

    Args:
        spec: The build's spec.
        defaults: The operator's settings.
        attempts: Those that had ended before.
    """
    is_free = (spec.engine or defaults.engine) is Engine.AUTO and not any(_needs(spec))
    return is_free and not was_unavailable(attempts)


def would_try_buildkit(spec: BuildSpec, defaults: BuildDefaults, attempts: Attempts) -> bool:
    """Whether the next attempt is made with BuildKit, as a try that Kaniko can follow. The arguments are the same."""
    return may_fall_back(spec, defaults, attempts) and engine_of(spec, defaults) is Engine.BUILDKIT


def was_unavailable(attempts: Attempts) -> bool:
    """Whether an attempt has found that BuildKit can't run."""
    return any(attempt.get("reason") == Reason.ENGINE_UNAVAILABLE for attempt in attempts)


def places_of(namespace: str, spec: BuildSpec, defaults: BuildDefaults) -> tuple[str, str]:
    """Where a problem of BuildKit counts: the namespace, whose admission refuses pods, and the nodes of a selector.

    Nodes count for the builds of one namespace alone: what its builds meet may be of their own making.
    """
    selector = spec.pod_template.spec.get("nodeSelector") or defaults.node_selector
    nodes = ",".join(f"{name}={value}" for name, value in sorted(selector.items()))
    return f"namespace {namespace}", f"nodes of {namespace} {nodes}"


def with_problem(pod: dict[str, Any], problem: str) -> dict[str, Any]:
    """A pod for Kaniko that says why it is not one for BuildKit."""
    metadata = pod["metadata"]
    return {**pod, "metadata": {**metadata, "annotations": {**metadata["annotations"], ENGINE_ANNOTATION: problem}}}


def _needs(spec: BuildSpec) -> Iterator[InvalidSpecError]:
    """What of a build only BuildKit can do."""
    asked = {
        "spec.network": spec.without_network,
        "spec.output.timestamp": spec.timestamp is not None,
        "spec.output.level": spec.level is not None,
    }
    for path in (path for path, is_set in asked.items() if is_set):
        yield InvalidSpecError(path, "Kaniko does not have it: set engine to BuildKit or Auto, or leave it out")


def _obstacles(spec: BuildSpec, defaults: BuildDefaults) -> Iterator[InvalidSpecError]:
    """What of a build only Kaniko can do."""
    other = "set engine to Kaniko"
    if not defaults.buildkit.image:
        yield InvalidSpecError(
            "spec.engine", f"this operator has no BuildKit (builder.buildkit.enabled of its chart): {other}"
        )
    for index, arg in enumerate(spec.build_args):
        if isinstance(arg.value, KeyRef) and arg.value.field == "secretKeyRef":
            yield InvalidSpecError(
                f"spec.buildArgs[{index}].valueFrom.secretKeyRef",
                "BuildKit writes build arguments into the image's history, as Docker does: use buildSecrets and RUN "
                f"--mount=type=secret, or {other}",
            )
    if flags := [flag for flag in spec.executor_args if flag.partition("=")[0] not in OF_PUSH]:
        yield InvalidSpecError("spec.executor.args", f"{flags[0]} is a flag of Kaniko: leave it out, or {other}")
    cache = spec.cache
    layers = (("baseImages", cache.base_images_claim), ("ttlSeconds", cache.ttl_seconds)) if cache.enabled else ()
    for name in (name for name, value in (("mounts", cache.mounts_claim), *layers) if value):
        yield InvalidSpecError(f"spec.cache.{name}", f"BuildKit does not use it: leave it out, or {other}")
    for registry in (each for each in (*spec.registries, *defaults.registries) if each.map_to):
        yield InvalidSpecError(
            "spec.registries",
            f"{registry.host} has mapTo, but BuildKit asks the registry itself where a mirror has no image: use "
            f"mirrors, or {other}",
        )


def with_buildkit(pod_spec: dict[str, Any], spec: BuildSpec, defaults: BuildDefaults) -> dict[str, Any]:
    """Change the spec of a pod for Kaniko so that its container `build` can run BuildKit.

    Args:
        pod_spec: The spec of the pod, with the image of BuildKit.
        spec: What to build.
        defaults: The operator's settings.
    """
    settings = defaults.buildkit
    runtime_default = {"seccompProfile": {"type": "RuntimeDefault"}}

    def changed(container: dict[str, Any]) -> dict[str, Any]:
        if container["name"] != "build":
            env = [*container["env"], *(_cache_of_push(spec) if container["name"] == "push" else ())]
            return {**container, "env": env, "securityContext": {**container["securityContext"], **runtime_default}}
        security: dict[str, Any] = {
            "runAsUser": 0,
            "runAsNonRoot": False,
            "privileged": False,
            # Without it, setuid programs such as sudo do nothing in RUN. In the user namespace they get nothing more.
            "allowPrivilegeEscalation": True,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": list(CAPABILITIES)},
        }
        if settings.user_namespaces and settings.unmasked_proc:
            security["procMount"] = "Unmasked"
        if settings.seccomp_profile:
            security["seccompProfile"] = dict(settings.seccomp_profile)
        if settings.app_armor_profile:
            security["appArmorProfile"] = dict(settings.app_armor_profile)
        required = [
            *(["users"] if settings.user_namespaces else []),
            *(["processes"] if "procMount" in security else []),
        ]
        own = [{"name": "buildkit", "mountPath": path, "subPath": name} for name, path in WRITTEN.items()]
        env = [
            *container["env"],
            *plain("REQUIRED_ISOLATION", ",".join(required)),
            *plain("ONLY_NEW_LAYERS", "true" if spec.push and not _reads_layers(spec) else None),
        ]
        mounts = [*container["volumeMounts"], *own]
        return {**container, "env": env, "securityContext": security, "volumeMounts": mounts}

    # Not for the whole pod: a profile of the pod can't be taken away from one container.
    changes: dict[str, Any] = {"securityContext": {}}
    if settings.user_namespaces:
        changes["hostUsers"] = False
    return {
        **pod_spec,
        **changes,
        **{kind: [changed(each) for each in pod_spec[kind]] for kind in ("initContainers", "containers")},
        "volumes": [*pod_spec["volumes"], {"name": "buildkit", "emptyDir": {}}],
    }


def _reads_layers(spec: BuildSpec) -> bool:
    """Whether more is done with the layers than to push them: an SBOM is made, a scan, or a comparison."""
    return bool(spec.attestations.sbom or is_scanned(spec) or spec.corroborate)


def _cache_of_push(spec: BuildSpec) -> list[Variable]:
    """BuildKit writes its cache next to the image; `push` has the credentials to push it."""
    return cache_variables(spec) if spec.push and spec.cache.enabled and not spec.cache.read_only else []
