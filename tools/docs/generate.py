"""Write every generated file, or with --check say which is out of date."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import api
import commands
import defaults_crd
import metrics
import performance
import reasons
import states
import terminal_picture
import tracked_crd
import variables
import yaml

ROOT = Path(__file__).parents[2]
CRD = ROOT / "crds" / "imagebuild.yaml"


def _crd() -> str:
    return CRD.read_text(encoding="utf-8")


def _defaults_crd() -> str:
    return defaults_crd.render(defaults_crd.build(yaml.safe_load(_crd())))


def _cluster_defaults_crd() -> str:
    return defaults_crd.render(defaults_crd.build_for_cluster(yaml.safe_load(_crd())))


def _api() -> str:
    image_build = yaml.safe_load(_crd())
    return api.render(
        image_build, defaults_crd.build(image_build), defaults_crd.build_for_cluster(image_build), tracked_crd.outline()
    )


def _builder_requirements() -> str:
    options = ["--quiet", "--frozen", "--no-default-groups", "--extra=shim", "--no-emit-project", "--no-header"]
    command = [str(ROOT / "build" / "uv"), "export", *options]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def _tracked_crd() -> str:
    return tracked_crd.render(tracked_crd.build(yaml.safe_load(_crd())))


FILES: dict[str, Callable[[], str]] = {
    "crds/imagebuilddefaults.yaml": _defaults_crd,
    "crds/clusterimagebuilddefaults.yaml": _cluster_defaults_crd,
    "crds/trackedimage.yaml": _tracked_crd,
    performance.PAGE: performance.render,
    **performance.plots(),
    "docs/assets/build.svg": terminal_picture.render,
    "docs/reference/api.md": _api,
    "docs/reference/cli.md": commands.render,
    "docs/reference/metrics.md": metrics.render,
    "docs/reference/reasons.md": reasons.render,
    "docs/reference/states.md": states.render,
    "docs/reference/variables.md": variables.render,
    # What the builder image installs: the part of uv.lock that the shim needs.
    "shim/image/requirements.txt": _builder_requirements,
    # Helm packs nothing from outside the chart's folder, and follows no link.
    "charts/imagebuild-operator/files/imagebuild.yaml": _crd,
    "charts/imagebuild-operator/files/imagebuilddefaults.yaml": _defaults_crd,
    "charts/imagebuild-operator/files/clusterimagebuilddefaults.yaml": _cluster_defaults_crd,
    "charts/imagebuild-operator/files/trackedimage.yaml": _tracked_crd,
}


def main(arguments: list[str]) -> int:
    """Write all files, or compare them; returns 1 if one differs."""
    stale = []
    for name, make in FILES.items():
        target, text = ROOT / name, make()
        if target.is_file() and target.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            stale.append(name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    if stale:
        print(f"out of date: {', '.join(stale)}; run make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
