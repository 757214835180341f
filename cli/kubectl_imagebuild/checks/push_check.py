"""Checks from a pod whether an image can be pushed. It creates an ImageBuild, and deletes it again.

The ImageBuild has no Dockerfile. So its pod asks the registry whether it would accept the image, and then fails:
nothing is pushed.
"""

import asyncio
import sys
from typing import Any, Final

from imagebuild import ApiError, Build, ImageBuildError
from imagebuild.watching import watch_build
from imagebuild_vocabulary.names import API_VERSION, KIND, PLURAL

from kubectl_imagebuild.checks.finding import Finding, failed, ok, warning
from kubectl_imagebuild.checks.findings import Wanted
from kubectl_imagebuild.cluster.reader import Cluster

CHECK: Final = "push"
#: The reason with which the ImageBuild fails when the registry would accept the image.
EXPECTED: Final = "DockerfileNotFound"
#: How the warning of a build begins whose registry did not answer.
_UNKNOWN: Final = "Could not check whether "


def push_check_build(wanted: Wanted) -> dict[str, Any]:
    """The ImageBuild that asks the registry, and then fails."""
    output: dict[str, Any] = {"images": [wanted.image]}
    if wanted.push_secret:
        output["pushSecretRef"] = {"name": wanted.push_secret}
    spec = {
        "source": {"inline": {"files": {"README": "kubectl imagebuild doctor: this build fails on purpose.\n"}}},
        "output": output,
        "timeoutSeconds": 600,
        "retry": {"limit": 0},
    }
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"generateName": "imagebuild-doctor-"}, "spec": spec}


def push_finding(build: Build, image: str) -> Finding:
    """What the end of that ImageBuild says about the registry."""
    if build.reason != EXPECTED:
        message = f"The build ended in phase {build.phase} ({build.reason}). {build.message}"
        return failed(CHECK, message)
    if unknown := next((text for text in build.warnings if text.startswith(_UNKNOWN)), ""):
        hint = "Check the name of the registry, and whether proxies and NetworkPolicies let build pods reach it."
        return failed(CHECK, unknown, hint)
    if "checkMilliseconds" not in (build.status.get("timings") or {}):
        return warning(CHECK, "The operator does not check registries (checkPush of the chart is false).")
    return ok(CHECK, f"The registry would accept {image} from a pod of this namespace.")


async def check_push(cluster: Cluster, wanted: Wanted, seconds: float) -> Finding:
    """Create the ImageBuild, wait for its end, and delete it.

    Args:
        cluster: The cluster.
        wanted: The image, and the Secret for pushing it.
        seconds: Seconds to wait at most.
    """
    path = cluster.path(PLURAL, group=API_VERSION)
    try:
        body = await cluster.connection.call("POST", path, push_check_build(wanted))
    except ApiError as error:
        return failed(CHECK, error.message, error.hint)
    name = body["metadata"]["name"]
    sys.stderr.write(f"Created ImageBuild {cluster.namespace}/{name}, which pushes nothing and is deleted again.\n")
    latest = Build(body)
    try:
        async with asyncio.timeout(seconds):
            async for build in watch_build(cluster.connection, path, name):
                latest = build
        return push_finding(latest, wanted.image)
    except TimeoutError:
        message = f"There is no result after {seconds:.0f} s: {latest.message or 'no operator has seen the build'}"
        return failed(CHECK, message)
    except ImageBuildError as error:
        return failed(CHECK, str(error))
    finally:
        await _delete(cluster, f"{path}/{name}")


async def _delete(cluster: Cluster, path: str) -> None:
    try:
        await cluster.connection.call("DELETE", path)
    except ImageBuildError as error:
        sys.stderr.write(f"{path.rsplit('/', 1)[-1]} could not be deleted: {error}\n")
