"""Show the main job: install the chart, build examples/hello.yaml in the cluster, run the image.

Needs a cluster (`make cluster-up`) and both images (`make images`); `make demo` makes both.
"""

import io
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from environment import ROOT, cluster_variables, with_programs
from install import NAMESPACE as INSTALLED
from install import RELEASE

NAMESPACE = "imagebuild-demo"
EXAMPLE = ROOT / "examples" / "hello.yaml"
#: A web server with the context: a ConfigMap holds the archive, busybox serves it.
FILE_SERVER = """
apiVersion: v1
kind: Pod
metadata: {name: files, labels: {app: files}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: httpd
      image: busybox
      command: [busybox, httpd, -f, -p, "8080", -h, /srv]
      volumeMounts: [{name: archive, mountPath: /srv}]
      readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
  volumes: [{name: archive, configMap: {name: context}}]
---
apiVersion: v1
kind: Service
metadata: {name: files}
spec: {selector: {app: files}, ports: [{port: 80, targetPort: 8080}]}
"""


class Demo:
    """Runs the steps and keeps the time of each."""

    def __init__(self) -> None:
        self._variables = cluster_variables()
        self._environment = with_programs(self._variables)
        self._times: list[tuple[str, float]] = []

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Print what is done now, and record how long it takes."""
        print(f"\n\033[1m==> {what}\033[0m", flush=True)
        start = time.monotonic()
        yield
        self._times.append((what, time.monotonic() - start))

    def run(self, *command: str, stdin: str | bytes | None = None) -> None:
        """Run a program whose output the user wants to see."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        subprocess.run(command, cwd=ROOT, env=self._environment, input=data, check=True)

    def read(self, *command: str) -> str:
        """Run a program for its output."""
        return subprocess.run(
            command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def kubectl(self, *arguments: str, stdin: str | bytes | None = None) -> None:
        """Run kubectl in the demo's namespace, its output shown."""
        self.run("kubectl", "--namespace", NAMESPACE, *arguments, stdin=stdin)

    def field(self, path: str) -> str:
        """Read a field of the ImageBuild."""
        return self.read(
            "kubectl", "--namespace", NAMESPACE, "get", "imagebuild", "hello", "--output", f"jsonpath={path}"
        )

    def main(self) -> int:
        """All steps, in order."""
        with self.step("Install the chart with Helm"):
            self.run(sys.executable, "tools/install.py")
        with self.step("Serve the build context over HTTP, inside the cluster"):
            self._serve_context()
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
            f"kubectl delete namespace {NAMESPACE} {INSTALLED}"
        )

    def _serve_context(self) -> None:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        self.run("kubectl", "apply", "--filename=-", stdin=json.dumps(namespace))
        self.kubectl("delete", "--ignore-not-found", "imagebuild/hello", "pod/hello", "pod/files", "configmap/context")
        archive = ROOT / "build" / "hello.tar.gz"
        archive.write_bytes(_archive(ROOT / "examples" / "hello"))
        self.kubectl("create", "configmap", "context", f"--from-file=hello.tar.gz={archive}")
        greeting = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "hello"},
            "data": {"greeting": "Hello"},
        }
        self.kubectl("apply", "--filename=-", stdin=json.dumps(greeting))
        self.kubectl("apply", "--filename=-", stdin=FILE_SERVER)
        self.kubectl("wait", "--for=condition=Ready", "pod/files", "--timeout=60s")

    def _apply(self) -> None:
        manifest = EXAMPLE.read_text(encoding="utf-8")
        print(manifest)
        self.kubectl(
            "apply", "--filename=-", stdin=manifest.replace("plain.registries.svc:5000", self._variables["REGISTRY"])
        )

    def _follow(self) -> None:
        """Show the log of each container as it is written."""
        self.kubectl("wait", "imagebuild/hello", "--for=jsonpath={.status.podName}", "--timeout=30s")
        pod = self.field("{.status.podName}")
        for container, statuses in (("build", "initContainerStatuses"), ("push", "containerStatuses")):
            if not self._await_start(pod, f'{{.status.{statuses}[?(@.name=="{container}")].state}}'):
                break
            self.kubectl("logs", "--follow", pod, f"--container={container}")
        self.kubectl("wait", "imagebuild/hello", "--for=condition=Finished", "--timeout=60s")

    def _await_start(self, pod: str, state: str) -> bool:
        """Watch a pod until a container has begun, which it has not where the pod fails before."""
        command = ["kubectl", "--namespace", NAMESPACE, "get", "pod", pod, "--watch"]
        command.append(f'--output=jsonpath={{.status.phase}} {state}{{"\\n"}}')
        with subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True) as watch:
            for line in watch.stdout or ():
                if "running" in line or "terminated" in line or line.startswith("Failed"):
                    watch.terminate()
                    return not line.startswith("Failed") or "terminated" in line
        raise SystemExit(f"the watch of pod {pod} ended before its container started")

    def _pull(self) -> str:
        reference = self.field("{.status.images[0].reference}")
        pinned = f"{reference.rpartition(':')[0]}@{self.field('{.status.digest}')}"
        address = self._variables.get("REGISTRY_ADDRESS", self._variables["REGISTRY"])
        pulled = ROOT / "build" / "hello-image.tar"
        source = pinned.replace(self._variables["REGISTRY"], address, 1)
        self.run("crane", "pull", "--insecure", source, str(pulled))
        print(f"{pulled.relative_to(ROOT)}: {pulled.stat().st_size:,} bytes, {pinned}")
        return pinned


def _archive(folder: Path) -> bytes:
    """The files of a folder as a gzipped tar."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    return packed.getvalue()


if __name__ == "__main__":
    sys.exit(Demo().main())
