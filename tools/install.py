"""Install this tree's chart and images into the current cluster.

Pushes the images to the registry of the cluster and runs `helm upgrade --install`. Further arguments go to Helm. With
ENGINE, that is what builds are made with, and no image of the other engine is needed. The release has a name and a
namespace of its own. A cluster that has another release of the chart is refused.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from environment import ROOT, ClusterRegistry, cluster_registry, cluster_variables, with_programs

NAMESPACE = "imagebuild-demo-system"
RELEASE = "imagebuild-demo"
CHART = Path("charts") / "imagebuild-operator"
#: The command that prints each image's OCI layout.
LAYOUTS = {
    "builder": ["shim/image/build.py", "--print-layout"],
    "builder-buildkit": ["shim/image/build.py", "--engine=buildkit", "--print-layout"],
    "operator": ["tools/operator_image.py", "--print-layout"],
}


def push_image(name: str, registry: ClusterRegistry, environment: dict[str, str]) -> tuple[str, str]:
    """Push an image to the cluster's registry; its repository, and its digest.

    Raises:
        SystemExit: the registry did not take it.
    """
    asked = subprocess.run([sys.executable, *LAYOUTS[name]], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    repository = f"imagebuild/{name}"
    pushed = subprocess.run(
        ["crane", "push", "--insecure", asked.stdout.strip(), f"{registry.address}/{repository}:dev"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if pushed.returncode:
        raise SystemExit(f"The {name} image could not be pushed to {registry.address}: {pushed.stderr.strip()}")
    return repository, pushed.stdout.strip().rpartition("@")[2]


def others(releases: list[dict[str, str]]) -> list[str]:
    """The releases of the chart that this tool did not make, from Helm's list of all releases."""
    return [
        f"{release['name']} in namespace {release['namespace']}"
        for release in releases
        if release["chart"].rpartition("-")[0] == CHART.name
        and (release["name"], release["namespace"]) != (RELEASE, NAMESPACE)
    ]


def refuse_others(environment: dict[str, str]) -> None:
    """Install nothing where the chart is installed already: both operators would act on the same builds.

    Raises:
        SystemExit: there is another release.
    """
    command = ["helm", "list", "--all", "--all-namespaces", "--output=json"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {listed.stderr.strip()}")
    if found := others(json.loads(listed.stdout)):
        raise SystemExit(
            f"This cluster has {' and '.join(found)}; nothing was changed. Apply examples/hello.yaml there, or use a "
            "cluster without the chart."
        )


def main() -> int:
    """Push, install, wait until the operator is ready."""
    variables = cluster_variables()
    registry = cluster_registry(variables)
    environment = with_programs(variables)
    refuse_others(environment)
    settings = ["--set", f"global.imageRegistry={registry.name}"]
    images = {"operator": "image", "builder": "builder.image", "builder-buildkit": "builder.buildkit.image"}
    if engine := os.environ.get("ENGINE"):
        settings += ["--set", f"builder.engine={engine}"]
    if engine == "BuildKit":
        del images["builder"]
    elif engine == "Kaniko":
        del images["builder-buildkit"]
        settings += ["--set", "builder.buildkit.enabled=false"]
    for name, prefix in images.items():
        repository, digest = push_image(name, registry, environment)
        settings += ["--set", f"{prefix}.repository={repository}", "--set", f"{prefix}.digest={digest}"]
    settings += ["--set-json", f"builder.registries={json.dumps(registry.builder_registries)}"]
    command = ["helm", "upgrade", "--install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--create-namespace"]
    command += ["--values", "tests/values.yaml", *settings, "--take-ownership", "--wait", "--timeout", "180s"]
    return subprocess.run([*command, *sys.argv[1:]], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
