"""The programs that setup-envtest downloads, which the functional cluster uses instead of building its own."""

import os
from pathlib import Path

from cluster.console import ClusterError

VARIABLE = "KUBEBUILDER_ASSETS"
PROGRAMS = ("etcd", "kube-apiserver", "kubectl")


def folder() -> Path | None:
    """What KUBEBUILDER_ASSETS names: the folder that `setup-envtest use --print path` prints."""
    value = os.environ.get(VARIABLE)
    return Path(value).resolve() if value else None


def programs() -> dict[str, Path]:
    """The path of each program.

    Raises:
        ClusterError: one is not there.
    """
    base = folder() or Path()
    missing = [name for name in PROGRAMS if not os.access(base / name, os.X_OK)]
    if missing:
        raise ClusterError(
            f"{VARIABLE} is {str(base)!r}, which has no {' and no '.join(missing)}; set it to what "
            "`setup-envtest use --print path` prints, or unset it"
        )
    return {name: base / name for name in PROGRAMS}
