"""The Go programs of the cluster: pinned, built once, kept in the cache."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cluster import packages, store, toolchain
from cluster.console import ClusterError, run
from cluster.settings import SOURCES, cache


def pinned(folder: str, module: str) -> str:
    """The version of a Go module that a folder's go.mod requires."""
    text = (SOURCES / folder / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"(?m)^(?:require )?\s*{re.escape(module)} (v\S+)", text)
    if not found:
        raise ClusterError(f"{SOURCES / folder / 'go.mod'} does not require {module}")
    return found[1]


KUBERNETES = pinned("kube", "k8s.io/kubernetes")
KANIKO = pinned("executor", "github.com/chainguard-dev/kaniko")


COMPILER = {"GOGC": "off", "GOMEMLIMIT": "2GiB"}
"""A compiler that collects no garbage before it has that much takes a quarter less time."""
QUICKLY = "-gcflags=all=-l"
"""Without inlining, the compiler takes another quarter less. Not for what is in an image: it would be slower."""

HELPERS = {
    "docker-credential-ecr-login": (
        "github.com/awslabs/amazon-ecr-credential-helper/ecr-login/cli/docker-credential-ecr-login"
    ),
    "docker-credential-gcr": "github.com/GoogleCloudPlatform/docker-credential-gcr/v2",
    "docker-credential-acr-env": "github.com/chrismellard/docker-credential-acr-env",
}
"""The credential helpers of the builder image: their names and packages."""

SIGSTORE = {
    "fulcio": "github.com/sigstore/fulcio",
    "rekor-server": "github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix",
    "timestamp-server": "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server",
}
"""The services that vouch for keyless signatures."""


@dataclass(frozen=True)
class Program:
    """A Go program, from a module of this folder (`module`) or as published (`package@version`)."""

    name: str
    package: str
    module: Path | None = None
    linker_flags: str = ""
    #: What `go install` calls it, where that is not the name here.
    binary: str = ""
    #: Programs and files that C code of it needs; without any, it is built without C.
    needs: tuple[str, ...] = ()
    tags: str = ""
    #: Whether it is in an image of this project, as it would be built for one.
    ships: bool = False
    #: Experiments of Go that its code needs.
    experiments: str = ""


PROGRAMS = {
    program.name: program
    for program in (
        Program(
            "kube",
            ".",
            SOURCES / "kube",
            " ".join(
                f"-X k8s.io/component-base/version.{variable}={value}"
                for variable, value in (
                    ("gitVersion", KUBERNETES),
                    ("gitMajor", KUBERNETES.removeprefix("v").split(".")[0]),
                    ("gitMinor", KUBERNETES.split(".")[1]),
                )
            ),
        ),
        # Debian's is too old to tell the API server how far it is, which then waits seconds for each fresh list.
        Program("etcd", "go.etcd.io/etcd/server/v3", SOURCES / "etcd"),
        Program("coredns", ".", SOURCES / "coredns"),
        # Debian's know neither user namespaces of pods nor volumes with mapped ids.
        Program("containerd", "github.com/containerd/containerd/v2/cmd/containerd", SOURCES / "cri"),
        Program(
            "containerd-shim-runc-v2",
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            SOURCES / "cri",
        ),
        Program(
            "runc",
            "github.com/opencontainers/runc",
            SOURCES / "runc",
            # Static: the builder image of BuildKit, in which it is too, has no C library.
            f"-X main.version={pinned('runc', 'github.com/opencontainers/runc').removeprefix('v')} -extldflags -static",
            needs=("gcc", "pkg-config", "/usr/include/seccomp.h"),
            tags="seccomp netgo osusergo",
            ships=True,
        ),
        Program("buildkitd", "github.com/moby/buildkit/cmd/buildkitd", SOURCES / "buildkitd", ships=True),
        Program("buildctl", "github.com/moby/buildkit/cmd/buildctl", SOURCES / "buildkitd", ships=True),
        # Has a module here: `go install` of a deprecated module looks up versions that are not its own.
        Program(
            "executor",
            "github.com/chainguard-dev/kaniko/cmd/executor",
            SOURCES / "executor",
            f"-X github.com/chainguard-dev/kaniko/pkg/version.version={KANIKO}",
            ships=True,
        ),
        Program("crane", "github.com/google/go-containerregistry/cmd/crane@v0.21.7", ships=True),
        *(Program(name, package, SOURCES / "helpers", ships=True) for name, package in HELPERS.items()),
        Program("helm", "helm.sh/helm/v3/cmd/helm@v3.22.0"),
    )
}
"""Those of the cluster and of the images."""
TOOLS = {
    program.name: program
    for program in (
        Program("health", ".", SOURCES / "health"),
        Program("actionlint", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"),
        Program("buildx", "github.com/docker/buildx/cmd/buildx@v0.38.2"),
        Program("cosign", "github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3"),
        Program("helm4", "helm.sh/helm/v4/cmd/helm@v4.3.1", binary="helm"),
        Program("helm-docs", "github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2"),
        Program("trivy", "github.com/aquasecurity/trivy/cmd/trivy", SOURCES / "trivy", experiments="jsonv2"),
        Program("trivy-database", ".", SOURCES / "trivy"),
        Program("kueue", "sigs.k8s.io/kueue/cmd/kueue", SOURCES / "kueue"),
        Program("vault", "github.com/hashicorp/vault", SOURCES / "vault", tags="minimal"),
        Program("source-controller", "github.com/fluxcd/source-controller", SOURCES / "flux"),
        *(Program(name, package, SOURCES / "sigstore") for name, package in SIGSTORE.items()),
        Program("cyclonedx-gomod", "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"),
        Program("govulncheck", "golang.org/x/vuln/cmd/govulncheck@v1.9.0"),
        Program("indexdb", "golang.org/x/vulndb/cmd/indexdb@v0.0.0-20261105234957-e22db6528018"),
    )
}
"""Those of `make lint`, `docs`, `release`, `sbom` and `audit`, those that read the chart or objects as others do,
`kueue`, Flux's source-controller, Trivy, Vault, and Sigstore's services."""
REFERENCES = {
    program.name: program
    for program in (
        Program("buildkit", ".", SOURCES / "buildkit"),
        Program("tekton", "github.com/tektoncd/pipeline/cmd/controller", SOURCES / "tekton"),
    )
}
"""Those that tests and benchmarks compare this project's code and images with."""


def artefact(name: str) -> Path:
    """The path of a program, which is built now if no build from the same sources is cached."""
    program = (PROGRAMS | TOOLS | REFERENCES)[name]
    go = toolchain.go()
    linker_flags = f"-s -w {program.linker_flags}".strip()
    sources = sorted(program.module.iterdir()) if program.module else []
    ingredients = [toolchain.version(go), program.package, linker_flags, sources, os.uname().machine]
    ingredients += [program.tags] if program.tags else []
    quickly = [] if program.ships else [QUICKLY]
    ingredients += quickly

    def build(folder: Path) -> None:
        packages.ensure(program.needs)
        made = {"CGO_ENABLED": str(int(bool(program.needs))), "GOFLAGS": "-trimpath", "GOBIN": str(folder)}
        if program.experiments:
            made["GOEXPERIMENT"] = program.experiments
        environment = os.environ | COMPILER | made
        argv: list[str | Path] = [go]
        if program.module:
            argv += ["-C", program.module, "build", "-o", folder / name]
        else:
            argv += ["install"]
        argv += quickly
        argv += [*(["-tags", program.tags] if program.tags else []), "-ldflags", linker_flags, program.package]
        run(argv, log=cache() / f"{name}.log", environment=environment)

    return store.entry(name, f"building {name}", ingredients, build) / (program.binary or name)
