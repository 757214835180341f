"""Show the main job: install the chart, build examples/hello.yaml in the cluster, run the image.

Needs a cluster (`make cluster-up`) and the images (`make images`); `make demo` makes them.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from environment import ROOT, cluster_registry, cluster_variables, with_programs
from install import NAMESPACE as INSTALLED
from install import RELEASE

NAMESPACE = "imagebuild-demo"
EXAMPLE = ROOT / "examples" / "hello.yaml"
#: What the example says instead of a registry of one's own.
PLACEHOLDER = "registry.example.com/team"


class Demo:
    """Runs the steps and keeps the time of each."""

    def __init__(self) -> None:
        self._variables = cluster_variables()
        self._registry = cluster_registry(self._variables)
        self._environment = with_programs(self._variables)
        self._times: list[tuple[str, float]] = []

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Print what is done now, and record how long it takes."""
        print(f"\n\033[1m==> {what}\033[0m", flush=True)
        start = time.monotonic()
        yield
        self._times.append((what, time.monotonic() - start))

    def run(self, *command: str, stdin: str | None = None) -> None:
        """Run a program whose output the user wants to see; end with it where it fails."""
        data = stdin.encode() if stdin else None
        code = subprocess.run(command, cwd=ROOT, env=self._environment, input=data, check=False).returncode
        if code:
            raise SystemExit(code)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> None:
        """Run kubectl in the demo's namespace, its output shown."""
        self.run("kubectl", "--namespace", NAMESPACE, *arguments, stdin=stdin)

    def field(self, path: str) -> str:
        """Read a field of the ImageBuild."""
        command = ["kubectl", "--namespace", NAMESPACE, "get", "imagebuild", "hello", "--output", f"jsonpath={path}"]
        return subprocess.run(
            command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def main(self) -> int:
        """All steps, in order."""
        with self.step("Install the chart with Helm"):
            self.run(sys.executable, "tools/install.py")
        with self.step("Apply examples/hello.yaml"):
            self._apply()
        with self.step("Follow the build"):
            self._follow()
        with self.step("Look at the result"):
            self.kubectl("get", "imagebuild", "hello", "--output=wide")
            if self.field("{.status.phase}") != "Succeeded":
                self.kubectl("get", "imagebuild", "hello", "--output=yaml")
                return 1
            print(json.dumps(json.loads(self.field("{.status}")), indent=2))
        with self.step("Pull the image from the registry"):
            reference = self._pull()
        with self.step("Run it in the cluster"):
            self.kubectl("run", "hello", f"--image={reference}", "--restart=Never", "--attach", "--quiet")
        print("\n\033[1mDuration of each step\033[0m")
        for what, seconds in self._times:
            print(f"  {seconds:6.1f} s  {what}")
        print(f"\nBuilt {reference}\n{self._what_stays()}")
        return 0

    def _what_stays(self) -> str:
        if "BIN" in self._variables:
            return 'The cluster keeps running: eval "$(make cluster-info)"; stop it: make cluster-down'
        return (
            f"Remove it all: helm uninstall {RELEASE} --namespace {INSTALLED} && "
            f"kubectl delete namespace {NAMESPACE} {INSTALLED} && kubectl delete --filename=crds"
        )

    def _apply(self) -> None:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        self.run("kubectl", "apply", "--filename=-", stdin=json.dumps(namespace))
        self.kubectl("delete", "--ignore-not-found", "imagebuild/hello", "pod/hello", "secret/registry-push")
        self.kubectl(
            "create", "secret", "docker-registry", "registry-push", f"--docker-server={self._registry.host}",
            "--docker-username=anyone", "--docker-password=none",
        )  # fmt: skip
        manifest = EXAMPLE.read_text(encoding="utf-8").replace(PLACEHOLDER, f"{self._registry.name}/demo")
        print(manifest)
        self.kubectl("apply", "--filename=-", stdin=manifest)

    def _follow(self) -> None:
        """Show the log of the build as it is written, and then that of the push."""
        self.kubectl("wait", "imagebuild/hello", "--for=condition=Waiting=false", "--timeout=2m")
        self.kubectl("logs", "--follow", "--selector=imagebuild.dev/build=hello", "--tail=-1")
        self.kubectl("wait", "imagebuild/hello", "--for=condition=Finished", "--timeout=2m")
        if self.field("{.status.phase}") == "Succeeded":
            self.kubectl("logs", "--selector=imagebuild.dev/build=hello", "--container=push", "--tail=-1")

    def _pull(self) -> str:
        reference = self.field("{.status.images[0].reference}")
        pinned = f"{reference.rpartition(':')[0]}@{self.field('{.status.digest}')}"
        pulled = ROOT / "build" / "hello-image.tar"
        source = pinned.replace(self._registry.name, self._registry.address, 1)
        self.run("crane", "pull", "--insecure", source, str(pulled))
        print(f"{pulled.relative_to(ROOT)}: {pulled.stat().st_size:,} bytes, {pinned}")
        return pinned


if __name__ == "__main__":
    sys.exit(Demo().main())
