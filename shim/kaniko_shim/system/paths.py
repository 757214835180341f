"""The directories and files of the builder image."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The builder's directories and files; tests use others.

    All are below /kaniko, since the executor replaces the rest of the file system. Names that begin with a dot can't
    clash with the names of images, for which the executor creates directories there.

    Attributes:
        executor: the kaniko executor.
        crane: the registry tool.
        executor_help: the output of `executor version` and `executor --help` when the image was built.
        context: the build context.
        build_secrets: build secrets that were mounted, a file for each, named by its id.
        run_caches: the directories of RUN --mount=type=cache; a volume mounted here keeps them for later builds.
        mounts: the socket for RUN steps with mounts, and what their mounts hide meanwhile.
        program_files: the shim, its Python and crane.
        heredocs: the files that a Dockerfile contains; RUN steps of any user read them.
        context_aliases: second paths of directories in the context, for COPY.
        prepared: trees made of the context's files, for COPY.
        scratch: the shim's temporary files, and its current directory.
        docker_config: directory of the mounted config.json, unless DOCKER_CONFIG names another.
        termination_log: where Kubernetes reads the result.
    """

    executor: Path = Path("/kaniko/executor")
    crane: Path = Path("/kaniko/.Shim/bin/crane")
    executor_help: Path = Path("/kaniko/.Shim/executor.help")
    context: Path = Path("/kaniko/buildcontext")
    build_secrets: Path = Path("/kaniko/.build-secrets")
    run_caches: Path = Path("/kaniko/.run-caches")
    mounts: Path = Path("/kaniko/.mounts")
    program_files: Path = Path("/kaniko/.Shim")
    heredocs: Path = Path("/kaniko/.heredocs")
    context_aliases: Path = Path("/kaniko/.aliases")
    prepared: Path = Path("/kaniko/.prepared")
    scratch: Path = Path("/kaniko/.run")
    docker_config: Path = Path("/kaniko/.docker")
    termination_log: Path = Path("/dev/termination-log")

    @property
    def digest_file(self) -> Path:
        """The file to which the executor writes the digest of the pushed image."""
        return self.scratch / "digest"

    @property
    def credentials(self) -> Path:
        """The DOCKER_CONFIG directory of the executor and crane."""
        return self.scratch / "docker"

    @property
    def inline_dockerfile(self) -> Path:
        """The Dockerfile from DOCKERFILE_CONTENT."""
        return self.scratch / "Dockerfile"
