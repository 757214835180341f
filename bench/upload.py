"""Send a directory to a build that waits for it: the SDK beside `tar | kubectl exec`, and what .dockerignore saves.

Needs root and the test cluster (`make cluster-up images`), and installs this tree's chart in it:

    .venv/bin/python bench/upload.py [--quick]

A sample is the time from the command until the pod has the whole directory: packing, sending, and the check of the
archive in the pod. The pod waits before, and the build is cancelled afterwards. Half of each file can be compressed.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("tests", "tools", "shim", "sdk")]

from environment import cluster_variables, program, with_programs  # noqa: E402
from imagebuild import Client, UploadSource, image_build  # noqa: E402
from measure.report import Report, options  # noqa: E402
from measure.samples import alternately, seconds  # noqa: E402

NAMESPACE = "bench-upload"
RECEIVER = ("-c", "upload", "--", "/kaniko/.Shim/bin/kaniko-shim", "send")
OURS, TAR = "imagebuild upload", "tar | kubectl exec"
EXCLUDING = "imagebuild upload, half excluded"
SIZE = 10_000
PER_FOLDER = 200


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    variables = cluster_variables()
    environment = with_programs(variables)
    files = 2_000 if told.quick else 20_000
    measure = f"{files * SIZE // 1_000_000} MB in {files} files"
    report = Report("upload", "bench/upload.py", {measure: TAR})
    report.context = {"files": files, "bytes": files * SIZE}
    subprocess.run([sys.executable, "tools/install.py"], cwd=ROOT, env=environment, check=True)
    kubectl = program("kubectl", variables)
    subprocess.run([kubectl, "create", "namespace", NAMESPACE], env=environment, check=True)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            Client(NAMESPACE, kubeconfig=variables["KUBECONFIG"]) as client,
        ):
            uploads = Uploads(client, kubectl, environment, make(Path(folder), files))
            cases = {OURS: uploads.ours, TAR: uploads.by_tar, EXCLUDING: uploads.excluding}
            report.add(measure, alternately(cases, 1 if told.quick else 5))
    finally:
        subprocess.run([kubectl, "delete", "namespace", NAMESPACE, "--wait=false"], env=environment, check=True)
    report.finish(told)


def make(root: Path, files: int) -> Path:
    """Write the directory."""
    (root / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    for number in range(files):
        folder = root / f"{'node_modules' if number * 2 >= files else 'src'}/d{number // PER_FOLDER}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / str(number)).write_bytes(os.urandom(SIZE // 2) + bytes(SIZE // 2))
    return root


class Uploads:
    """Sends a directory to builds, one for each sample."""

    def __init__(self, client: Client, kubectl: Path, environment: dict[str, str], directory: Path) -> None:
        """Args: `directory` is what is sent."""
        self._client, self._kubectl, self._environment, self._directory = client, kubectl, environment, directory

    def ours(self) -> float:
        """By the SDK."""
        name, _ = self._waiting()
        return self._ended(name, seconds(lambda: self._client.upload(name, self._directory)))

    def excluding(self) -> float:
        """By the SDK, without what .dockerignore excludes."""
        ignore_file = self._directory / ".dockerignore"
        ignore_file.write_text("node_modules\n")
        try:
            return self.ours()
        finally:
            ignore_file.unlink()

    def by_tar(self) -> float:
        """By the command in the message of the build."""
        name, pod = self._waiting()

        def work() -> None:
            with subprocess.Popen(["tar", "-cz", "-C", self._directory, "."], stdout=subprocess.PIPE) as packing:
                command: list[str | Path] = [self._kubectl, "exec", "-i", "-n", NAMESPACE, pod, *RECEIVER]
                subprocess.run(
                    command, stdin=packing.stdout, env=self._environment, check=True, stdout=subprocess.DEVNULL
                )

        return self._ended(name, seconds(work))

    def _waiting(self) -> tuple[str, str]:
        """A build that waits for its directory, and its pod."""
        manifest = image_build(["registry.example.com/bench/upload:1"], upload=UploadSource(), push=False)
        name = self._client.create(manifest).name
        for build in self._client.watch(name):
            if build.reason == "AwaitingUpload":
                return name, str(build.status["podName"])
        raise RuntimeError(f"ImageBuild {name} ended before it asked for its directory")

    def _ended(self, name: str, sample: float) -> float:
        """End a build and wait for that, so that it takes nothing from the next one."""
        self._client.cancel(name)
        self._client.wait(name, 300)
        self._client.delete(name)
        return sample


if __name__ == "__main__":
    main()
