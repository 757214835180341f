"""The Go programs of the cluster: pinned, built once, kept in the cache."""

import os
from dataclasses import dataclass
from pathlib import Path

from cluster import store, toolchain
from cluster.console import run
from cluster.settings import SOURCES, cache

KUBERNETES = "v1.34.4"
KANIKO = "v1.25.0"


@dataclass(frozen=True)
class Program:
    """A Go program, from a module of this folder (`module`) or as published (`package@version`)."""

    name: str
    package: str
    module: Path | None = None
    linker_flags: str = ""


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
        # Has a module here: `go install` of a deprecated module looks up versions that are not its own.
        Program(
            "executor",
            "github.com/chainguard-dev/kaniko/cmd/executor",
            SOURCES / "executor",
            f"-X github.com/chainguard-dev/kaniko/pkg/version.version={KANIKO}",
        ),
        Program("crane", "github.com/google/go-containerregistry/cmd/crane@v0.20.6"),
        Program("helm", "helm.sh/helm/v3/cmd/helm@v3.22.0"),
    )
}
"""Those of the cluster and of the images."""
TOOLS = {
    program.name: program
    for program in (
        Program("health", ".", SOURCES / "health"),
        Program("cyclonedx-gomod", "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"),
        Program("govulncheck", "golang.org/x/vuln/cmd/govulncheck@v1.9.0"),
        Program("indexdb", "golang.org/x/vulndb/cmd/indexdb@v0.0.0-20261105234957-e22db6528018"),
    )
}
"""Those that look at the others (`make sbom`, `make audit`), and `health`, which reads objects as other tools do."""
REFERENCES = {
    program.name: program
    for program in (
        Program("buildkit", ".", SOURCES / "buildkit"),
        Program("buildkitd", "github.com/moby/buildkit/cmd/buildkitd", SOURCES / "buildkitd"),
        Program("buildctl", "github.com/moby/buildkit/cmd/buildctl", SOURCES / "buildkitd"),
    )
}
"""Those that tests compare this project's code and images with."""


def artefact(name: str) -> Path:
    """The path of a program, which is built now if no build from the same sources is cached."""
    program = (PROGRAMS | TOOLS | REFERENCES)[name]
    go = toolchain.go()
    linker_flags = f"-s -w {program.linker_flags}".strip()
    sources = sorted(program.module.iterdir()) if program.module else []
    ingredients = [toolchain.version(go), program.package, linker_flags, sources, os.uname().machine]

    def build(folder: Path) -> None:
        environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-trimpath", "GOBIN": str(folder)}
        argv: list[str | Path] = [go]
        if program.module:
            argv += ["-C", program.module, "build", "-o", folder / name]
        else:
            argv += ["install"]
        argv += ["-ldflags", linker_flags, program.package]
        run(argv, log=cache() / f"{name}.log", environment=environment)

    return store.entry(name, f"building {name}", ingredients, build) / name
