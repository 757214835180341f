"""A chaos run: builds are created and followed while a timeline of faults passes; then all is healed and checked."""

import base64
import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from chaos.api import GROUP, Api
from chaos.collect import collect, forget_images, operator_use
from chaos.faults import Faults, operator_settings, small_disk
from chaos.history import FINAL
from chaos.invariants import Violation, violations
from chaos.records import Records, Use
from chaos.timeline import Fault
from chaos.upgrade import NEWER, NEWEST, OLDER, Release
from chaos.uploads import upload
from chaos.workload import (
    CLUSTER_LIMIT,
    LIMITS,
    NAMESPACES,
    PUSH_SECRET,
    QUOTAS,
    RECIPES,
    TOKEN_SECRET,
    Build,
    Recipe,
    Registries,
    workload,
)
from cluster import lifecycle, registries
from cluster.settings import Cluster
from environment import ROOT
from install import RELEASE
from support.alongside import alongside

#: The field selector of builds that are not finished.
UNFINISHED_FIELDS: Final = ",".join(f"status.phase!={phase}" for phase in sorted(FINAL))
#: Builds that are not finished, at most: more would only wait.
UNFINISHED: Final = 10
#: Seconds after the last fault in which everything has to come to its end.
PATIENCE: Final = 900.0
#: Seconds in which nothing changes any more, before the end is believed.
SETTLED: Final = 5.0
#: How often an upgrade is tried that a fault has kept from succeeding.
TRIES: Final = 5
#: Seconds between two of them, in which an API server that is stopped may come back.
BETWEEN_TRIES: Final = 5.0


@dataclass
class Run:
    """A run.

    Attributes:
        cluster: The cluster, which is this run's own.
        seed: Of all that is left to chance.
        seconds: For how long builds are created and faults happen.
        faults: What happens.
        most: How many builds are created at most; 0 for any number.
        recipes: The kinds of builds.
        installs: Whether the chart is installed; else that of an earlier run is used.
        older: The tree of the release that the run begins with, if it is to upgrade and roll back.
        folder: Gets the files of the run.
    """

    cluster: Cluster
    seed: str
    seconds: float
    faults: Sequence[Fault]
    folder: Path
    most: int = 0
    recipes: Mapping[str, Recipe] = field(default_factory=lambda: RECIPES)
    older: Path | None = None
    installs: bool = True
    builds: dict[str, Build] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    began: float = 0.0
    changed: set[str] = field(default_factory=set)
    #: Called each second while builds run, with the seconds since the start.
    observe: Callable[[float], None] = lambda _: None

    def __post_init__(self) -> None:
        self.api = Api(self.cluster)
        self.doer = Faults(self.cluster, self.api, self.seed, self.folder)

    def prepare(self) -> Use | None:
        """The cluster, the chart with two operators, and the namespaces; what the operator holds then."""
        lifecycle.up(self.cluster)
        self.doer.heal()
        with small_disk(self.cluster):
            forget_images(self.cluster)
        for release in reversed(self.releases if self.installs else []):
            # All of them: each makes its images now, and the oldest stays.
            release.install()
        for namespace in NAMESPACES:
            self._make(namespace)
        self.doer.settings = operator_settings(self.api, RELEASE)
        self.began = time.time()
        return operator_use(self.cluster)

    @property
    def releases(self) -> list[Release]:
        """This tree's release, and the older one."""
        limits = [f"--set=admission.namespaces.{name}={limit}" for name, limit in LIMITS.items()]
        options = [f"--set=admission.maxRunning={CLUSTER_LIMIT}", "--set=replicaCount=2", "--set=retry.delaySeconds=2"]
        # As the chart has it: other tests keep all, for their logs.
        options += ["--set=builder.keepPods=failed"]
        trees = [self.older, ROOT] if self.older else [ROOT]
        return [Release(tree, [*options, *limits]) for tree in trees]

    def go(self) -> None:
        """Create builds, and let the faults happen; then heal, and wait until all has ended.

        Raises:
            TimeoutError: it has not; the records say what.
        """
        start = time.monotonic()
        names = Registries(registries.service("plain"), registries.service("private"))
        with ThreadPoolExecutor(len(self.faults) + 2) as threads, ThreadPoolExecutor(UNFINISHED) as users:
            upgrading = [threads.submit(self._upgrade, start)] if self.older else []
            creating = threads.submit(self._create_all, names, start, users)
            with alongside(partial(self._follow, start)):
                for fault in self.faults:
                    time.sleep(max(0.0, start + fault.at - time.monotonic()))
                    sys.stderr.write(f"{fault}\n")
                    threads.submit(self.doer.do, fault)
                for work in (creating, *upgrading):
                    work.result()
                threads.shutdown(wait=True)
                self.doer.heal()
                self._await_end()

    def check(self, before: Use | None) -> tuple[Records, list[Violation]]:
        """What is there, and what of it must not be so."""
        expected = {name: build.expected for name, build in self.builds.items()}
        uses = (before, operator_use(self.cluster))
        records = collect(self.cluster, self.api, expected, self.secrets, self.began, uses)
        return records, violations(records)

    def _make(self, namespace: str) -> None:
        """A namespace with the Secrets of its builds; an earlier one of the name is deleted first."""
        path = f"/api/v1/namespaces/{namespace}"
        deadline = time.monotonic() + PATIENCE
        while _found(self.api, path):
            self.api.delete(path)
            time.sleep(1)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{namespace} is still there")
        self.api.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
        token = secrets.token_hex(16)
        password = registries.password(self.cluster)
        self.secrets += [token, base64.b64encode(token.encode()).decode(), password]
        auth = registries.docker_config(self.cluster)
        for name, kind, content in (
            (TOKEN_SECRET, "Opaque", {"token": token}),
            (PUSH_SECRET, "kubernetes.io/dockerconfigjson", {".dockerconfigjson": auth}),
        ):
            body = {"metadata": {"name": name}, "type": kind, "stringData": content}
            self.api.post(f"{path}/secrets", body)
        if pods := QUOTAS.get(namespace):
            quota = {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": str(pods)}}}
            self.api.post(f"{path}/resourcequotas", quota)

    def _upgrade(self, start: float) -> None:
        """Upgrade, roll back, and upgrade again; each again until it succeeds."""
        older, newer = self.releases
        for share, release in ((NEWER, newer), (OLDER, older), (NEWEST, newer)):
            time.sleep(max(0.0, start + share * self.seconds - time.monotonic()))
            for _ in range(TRIES):
                try:
                    tree = release.install()
                except (subprocess.CalledProcessError, SystemExit) as error:
                    self.doer.errors.append(f"upgrade: {error}")
                    time.sleep(BETWEEN_TRIES)
                else:
                    self.doer.done.append(f"{time.monotonic() - start:6.1f} s: installed the release of {tree}")
                    break

    def _create_all(self, names: Registries, start: float, users: ThreadPoolExecutor) -> None:
        for build in workload(self.seed, names, self.recipes):
            while len(self._unfinished()) >= UNFINISHED and time.monotonic() < start + self.seconds:
                time.sleep(0.5)
            if time.monotonic() > start + self.seconds or (self.most and len(self.builds) >= self.most):
                return
            self._create(build)
            if build.files:
                users.submit(upload, self.cluster.kubeconfig, build)

    def _create(self, build: Build) -> None:
        body = {
            "apiVersion": "imagebuild.dev/v1alpha1",
            "kind": "ImageBuild",
            "metadata": {"name": build.name},
            "spec": build.spec,
        }
        self.builds[f"{build.namespace}/{build.name}"] = build
        while True:
            try:
                self.api.post(f"{GROUP}/namespaces/{build.namespace}/imagebuilds", body)
            except FileExistsError:
                return  # The answer to an earlier try was lost.
            except OSError:
                time.sleep(1)
            else:
                return

    def _follow(self, start: float, over: threading.Event) -> None:
        """Do what the builds' users do, for as long as the run lasts."""
        while not over.wait(1.0):
            self.observe(time.monotonic() - start)
            for key, phase in (self._phases(UNFINISHED_FIELDS) or {}).items():
                build = self.builds.get(key)
                if build and build.change and build.at == phase and key not in self.changed:
                    path = f"{GROUP}/namespaces/{build.namespace}/imagebuilds/{build.name}"
                    try:
                        self.api.patch(path, {"spec": build.change})
                    except OSError:
                        continue
                    self.changed.add(key)

    def _phases(self, fields: str = "") -> dict[str, str] | None:
        """The phase of each build, or of those with certain fields; None while the API server is away."""
        try:
            found = [(name, build) for name in NAMESPACES for build in self.api.builds(name, fields)]
        except OSError:
            return None
        return {
            f"{name}/{build['metadata']['name']}": str((build.get("status") or {}).get("phase"))
            for name, build in found
        }

    def _unfinished(self) -> Mapping[str, str]:
        phases = self._phases(UNFINISHED_FIELDS)
        return dict.fromkeys(self.builds, "unknown") if phases is None else phases

    def _await_end(self) -> None:
        """Wait until every build has ended, what expires is gone, and no pod runs, for a while."""
        deadline, quiet = time.monotonic() + PATIENCE, time.monotonic()
        while time.monotonic() - quiet < SETTLED:
            if self._left():
                quiet = time.monotonic()
            if time.monotonic() > deadline:
                return  # The invariants say what has not come to its end.
            time.sleep(1)

    def _left(self) -> bool:
        phases = self._phases() or {}
        known = any(name in phases and build.expected.expires for name, build in self.builds.items())
        try:
            pods = [pod for namespace in NAMESPACES for pod in self.api.pods(namespace)]
        except OSError:
            return True
        running = any(pod["status"].get("phase") not in {"Succeeded", "Failed"} for pod in pods)
        return known or running or not phases or any(phase not in FINAL for phase in phases.values())


def report(run: Run, records: Records, found: Sequence[Violation]) -> dict[str, Any]:
    """What was run, what was done and what was found, for a file."""
    ends: dict[str, int] = {}
    attempts: dict[str, int] = {}
    for build in {version.uid: version for version in records.builds if version.phase in FINAL}.values():
        ends[str(build.phase)] = ends.get(str(build.phase), 0) + 1
        for attempt in build.status.get("attempts") or ():
            if reason := attempt.get("reason"):
                attempts[reason] = attempts.get(reason, 0) + 1
    return {
        "seed": run.seed,
        "seconds": run.seconds,
        "builds": len(run.builds),
        "ends": ends,
        "attempts": attempts,
        "faults": run.doer.done,
        "notDone": run.doer.errors,
        "violations": [str(violation) for violation in found],
        "before": vars(records.before) if records.before else None,
        "after": vars(records.after) if records.after else None,
    }


def save(folder: Path, name: str, content: Mapping[str, Any]) -> Path:
    """Write a file of a run."""
    path = folder / name
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _found(api: Api, path: str) -> bool:
    try:
        api.get(path)
    except FileNotFoundError:
        return False
    return True
