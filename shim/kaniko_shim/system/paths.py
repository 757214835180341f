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
        base_images: the cache of base images, a volume that builds only read.
        mounts: the socket for RUN steps with mounts, and what their mounts hide meanwhile.
        program_files: the shim, its Python and crane.
        heredocs: the files that a Dockerfile contains; RUN steps of any user read them.
        context_aliases: second paths of directories in the context, for COPY.
        prepared: trees made of the context's files, for COPY.
        scratch: the shim's temporary files, and its current directory.
        docker_config: directory of the mounted config.json, unless DOCKER_CONFIG names another.
        upload: where an upload is received, and read by the build.
        scanner: Trivy's image, mounted.
        vulnerabilities: its database, mounted.
        scanned: what `scan` hands over to `push`.
        cosign: cosign's image, mounted.
        termination_log: where Kubernetes reads the result.
        buildkitd: BuildKit's daemon; an image has it or the executor.
        buildctl: BuildKit's client.
        runc: what the daemon starts RUN steps with.
        buildkit_state: all that the daemon keeps, on a file system that overlays can lie on.
        buildkit_run: its socket.
    """

    executor: Path = Path("/kaniko/executor")
    crane: Path = Path("/kaniko/.Shim/bin/crane")
    executor_help: Path = Path("/kaniko/.Shim/executor.help")
    context: Path = Path("/kaniko/buildcontext")
    build_secrets: Path = Path("/kaniko/.build-secrets")
    run_caches: Path = Path("/kaniko/.run-caches")
    base_images: Path = Path("/kaniko/.base-images")
    mounts: Path = Path("/kaniko/.mounts")
    program_files: Path = Path("/kaniko/.Shim")
    heredocs: Path = Path("/kaniko/.heredocs")
    context_aliases: Path = Path("/kaniko/.aliases")
    prepared: Path = Path("/kaniko/.prepared")
    scratch: Path = Path("/kaniko/.run")
    docker_config: Path = Path("/kaniko/.docker")
    upload: Path = Path("/kaniko/source")
    scanner: Path = Path("/kaniko/.scanner")
    vulnerabilities: Path = Path("/kaniko/.vulnerabilities")
    scanned: Path = Path("/kaniko/.scanned")
    cosign: Path = Path("/kaniko/.cosign")
    termination_log: Path = Path("/dev/termination-log")
    buildkitd: Path = Path("/kaniko/.Shim/bin/buildkitd")
    buildctl: Path = Path("/kaniko/.Shim/bin/buildctl")
    runc: Path = Path("/kaniko/.Shim/bin/buildkit-runc")
    buildkit_state: Path = Path("/kaniko/.buildkit")
    buildkit_run: Path = Path("/kaniko/.run/buildkit")

    @property
    def has_buildkit(self) -> bool:
        """Whether the engine of this image is BuildKit, as opposed to kaniko."""
        return self.buildkitd.exists()

    @property
    def digest_file(self) -> Path:
        """The file to which the executor writes the digest of the pushed image."""
        return self.scratch / "digest"

    @property
    def credentials(self) -> Path:
        """The DOCKER_CONFIG directory of the executor and crane."""
        return self.scratch / "docker"

    @property
    def credential_helpers(self) -> Path:
        """The credential helpers of clouds, apart from everything else that a PATH must not lead to."""
        return self.program_files / "credential-helpers"

    @property
    def helper_state(self) -> Path:
        """Where credential helpers keep tokens and logs; elsewhere, they would become part of the image."""
        return self.scratch / "credential-helpers"

    @property
    def inline_dockerfile(self) -> Path:
        """The Dockerfile from DOCKERFILE_CONTENT."""
        return self.scratch / "Dockerfile"
