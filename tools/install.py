"""Install this tree's chart and images into the current cluster.

Pushes both images to the registry of the cluster and runs `helm upgrade --install`. Further arguments go to Helm.
"""

import subprocess
import sys
from pathlib import Path

from environment import ROOT, cluster_variables, with_programs

NAMESPACE = "imagebuild-system"
RELEASE = "imagebuild"
#: The command that prints each image's OCI layout.
LAYOUTS = {
    "builder": ["shim/image/build.py", "--print-layout"],
    "operator": ["tools/operator_image.py", "--print-layout"],
}


def push_image(name: str, variables: dict[str, str]) -> tuple[str, str]:
    """Push an image to the cluster's registry; its repository as the nodes know it, and its digest."""
    asked = subprocess.run([sys.executable, *LAYOUTS[name]], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    repository = f"imagebuild/{name}"
    address = variables.get("REGISTRY_ADDRESS", variables["REGISTRY"])
    pushed = subprocess.run(
        ["crane", "push", "--insecure", asked.stdout.strip(), f"{address}/{repository}:dev"],
        env=with_programs(variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if pushed.returncode:
        raise SystemExit(f"the {name} image could not be pushed: {pushed.stderr.strip()}")
    digest = pushed.stdout.strip().rpartition("@")[2]
    return f"{variables['REGISTRY']}/{repository}", digest


def main() -> int:
    """Push, install, wait until the operator is ready."""
    variables = cluster_variables()
    settings = []
    for name, prefix in (("operator", "image"), ("builder", "builder.image")):
        repository, digest = push_image(name, variables)
        settings += ["--set", f"{prefix}.repository={repository}", "--set", f"{prefix}.digest={digest}"]
    chart = Path("charts") / "imagebuild-operator"
    command = ["helm", "upgrade", "--install", RELEASE, str(chart), "--namespace", NAMESPACE, "--create-namespace"]
    command += [
        "--values",
        "tests/values.yaml",
        *settings,
        "--take-ownership",
        "--wait",
        "--timeout",
        "180s",
        *sys.argv[1:],
    ]
    return subprocess.run(command, cwd=ROOT, env=with_programs(variables), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
