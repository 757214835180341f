"""Where things are in the builder image."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The builder's fixed places; tests use others.

    Everything lies below /kaniko, since the executor replaces the rest of the file system. Names that
    begin with a dot can't be those of an image, for which the executor makes directories there.

    Attributes:
        executor: the kaniko executor.
        crane: the registry tool.
        executor_help: what `executor --help` printed when the image was made.
        context: the build context.
        heredocs: files that stand in a Dockerfile; RUN steps of any user read them.
        scratch: the shim's temporary files; also the current directory.
        docker_config: directory of the mounted config.json, unless DOCKER_CONFIG names another.
        termination_log: where Kubernetes reads the result.
    """

    executor: Path = Path("/kaniko/executor")
    crane: Path = Path("/kaniko/.Shim/bin/crane")
    executor_help: Path = Path("/kaniko/.Shim/executor.help")
    context: Path = Path("/kaniko/buildcontext")
    heredocs: Path = Path("/kaniko/.heredocs")
    scratch: Path = Path("/kaniko/.run")
    docker_config: Path = Path("/kaniko/.docker")
    termination_log: Path = Path("/dev/termination-log")

    @property
    def digest_file(self) -> Path:
        """Where the executor writes the digest of what it pushed."""
        return self.scratch / "digest"

    @property
    def credentials(self) -> Path:
        """The directory that DOCKER_CONFIG names for the executor and crane."""
        return self.scratch / "docker"

    @property
    def inline_dockerfile(self) -> Path:
        """The Dockerfile that DOCKERFILE_CONTENT holds."""
        return self.scratch / "Dockerfile"
