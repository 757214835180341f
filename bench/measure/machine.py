"""The facts about a machine that a number is worth nothing without."""

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GO_MODULES = {
    "Kubernetes": ("kube", "k8s.io/kubernetes"),
    "etcd": ("etcd", "go.etcd.io/etcd/server/v3"),
    "BuildKit": ("buildkitd", "github.com/moby/buildkit"),
    "Tekton": ("tekton", "github.com/tektoncd/pipeline"),
}
PACKAGES = ("kopf", "kubernetes", "aiohttp")


def facts() -> dict[str, Any]:
    """CPU, cores, memory, kernel, and the versions of all that was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{memory / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": _versions(),
        "commit": _git("describe", "--always", "--dirty", "--exclude=*"),
    }


def load() -> float:
    """The load average over one minute: what else kept the machine busy."""
    return round(os.getloadavg()[0], 2)


def _cpu() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"(?m)^model name\s*:\s*(.+)$", text)
    return found[1] if found else platform.machine()


def _versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    for name, (folder, module) in GO_MODULES.items():
        text = (ROOT / "tests" / "cluster" / folder / "go.mod").read_text(encoding="utf-8")
        if match := re.search(rf"(?m)^(?:require )?\s*{re.escape(module)} v(\S+)", text):
            found[name] = match[1]
    executor = os.environ.get("EXECUTOR_IMAGE")
    if not executor:
        argument = re.search(r"(?m)^ARG \w+=(\S+)", (ROOT / "Dockerfile.builder").read_text(encoding="utf-8"))
        executor = argument[1] if argument else ""
    found["executor"] = executor.partition("@")[0].rpartition(":")[2]
    return found


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
