"""Builds for the screenshots of `kubectl imagebuild serve`, with statuses as the operator writes them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

REGISTRY = "registry.example.com"
DIGESTS = ("9f2c4e61ab07", "3d81f0c2be54", "c07a95d4e1f3", "71be2a60d98c")
DOCKERFILE = """\
FROM node:22-slim AS assets
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci
COPY web/ web/
RUN npm run build
FROM python:3.13-slim
COPY --from=assets /src/dist /srv/static
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . /srv
CMD ["python", "-m", "shop"]
"""
#: Seconds of each step of the build that fails, and whether its layer was in the cache.
STEPS = ((1.2, False), (0.1, False), (0.4, True), (6.8, True), (0.5, False), (11.4, False))
OUTPUT = """\
> shop@2.4.0 build
> vite build

\x1b[36mvite v7.1.4 \x1b[32mbuilding for production...\x1b[0m
transforming...
\x1b[31m✗\x1b[0m Build failed in 9.87s
\x1b[31merror during build:
[vite]: Rollup failed to resolve import "./checkout/Totals" from "web/src/App.tsx".\x1b[0m
This is most likely unintended because it can break your application at runtime.
"""


def _tracked(namespace: str, name: str, state: str, tag: str, build: str, message: str = "") -> Json:
    condition = {"type": "Reconciling", "status": str(bool(message)), "reason": state, "message": message}
    status: Json = {"latestTag": tag, "latestBuild": {"name": build}, "conditions": [condition]}
    return {"metadata": {"namespace": namespace, "name": name}, "status": status}


TRACKED = [
    _tracked("team-ml", "features", "UpToDate", "main-41-9c0d2b1e", "features-41"),
    _tracked(
        "team-web", "search", "Waiting", "main-12-4be2f0a7", "search-12",
        "A base image has moved, and its builds are spread over time. The next build starts at 13:20: BaseImage.",
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A build.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        ago: Seconds since its pod was created; it was created a second before.
        created: When it was created.
        spec: Its spec.
        status: Its status.
        log: Lines of its log, with the seconds after the start; a line belongs to the container that is named.
    """

    namespace: str
    name: str
    ago: float
    created: str
    spec: Json
    status: Json
    log: list[tuple[str, float, str]] = field(default_factory=list)


class Clock:
    """Times before now."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def stamp(self, seconds: float) -> str:
        """The time so many seconds ago."""
        return (self.now - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def samples(clock: Clock) -> list[Sample]:
    """All of them, the oldest first."""
    many = [
        _succeeded(clock, namespace, name, 300 * (20 - number) + 5000, 21 + 7 * number)
        for number, (namespace, name) in enumerate(
            (
                ("team-data", "ingest-5f3"),
                ("team-web", "storefront-2.3.9"),
                ("team-data", "notebook-44"),
                ("team-platform", "base-python-3.13"),
                ("team-web", "mailer-118"),
            )
        )
    ]
    return [
        *many,
        _cancelled(clock),
        _succeeded(clock, "team-platform", "base-node-22", 3900, 84),
        _succeeded(clock, "team-web", "mailer-119", 1500, 37),
        _failed(clock),
        _platforms(clock),
        _queued(clock),
        _waiting(clock),
        _building(clock),
    ]


def _spec(namespace: str, repository: str, tag: str, **fields: object) -> Json:
    git = {"url": f"https://git.example.com/{namespace}/{repository}", "revision": "main"}
    return {"source": {"git": git}, "output": {"images": [f"{REGISTRY}/{namespace}/{repository}:{tag}"]}, **fields}


def _succeeded(clock: Clock, namespace: str, name: str, ago: int, seconds: int) -> Sample:
    repository, _, tag = name.rpartition("-")
    digest = f"{DIGESTS[seconds % len(DIGESTS)]}{'0' * 52}"
    spec = _spec(namespace, repository, tag)
    timings = {
        "queuedMilliseconds": 1000,
        "scheduledMilliseconds": 0,
        "pulledMilliseconds": 2000,
        "checkMilliseconds": 1000,
        "fetchMilliseconds": 900,
        "pushMilliseconds": 2600,
    }
    reference = spec["output"]["images"][0]
    status = {
        "phase": "Succeeded",
        "message": f"Pushed {reference}.",
        "digest": f"sha256:{digest}",
        "images": [{"reference": reference, "digest": f"sha256:{digest}", "sizeBytes": 48_300_000 + 700_000 * seconds}],
        "startTime": clock.stamp(ago),
        "completionTime": clock.stamp(ago - seconds),
        "duration": f"{seconds}s",
        "timings": {**timings, "buildMilliseconds": 1000 * seconds - 8000, "totalMilliseconds": 1000 * seconds},
        "cache": {"hits": 6, "misses": 3},
        "attempts": [
            {"podName": f"{name}-1", "startTime": clock.stamp(ago), "completionTime": clock.stamp(ago - seconds)}
        ],
    }
    return Sample(namespace, name, ago, clock.stamp(ago + 1), spec, status)


def _failed(clock: Clock) -> Sample:
    spec = _spec("team-web", "storefront", "2.4.0", dockerfile={"inline": DOCKERFILE})
    spec["cache"] = {"enabled": True}
    message = "RUN npm run build failed with exit code 1 (Dockerfile, line 6)."
    failure = {
        "reason": "RunCommandFailed",
        "message": message,
        "hint": "The end of the log has the output of the command.",
        "dockerfileLine": 6,
        "instruction": "RUN npm run build",
        "exitCode": 1,
        "logTail": OUTPUT,
    }
    ago = 300
    status = {
        "phase": "Failed",
        "reason": "RunCommandFailed",
        "message": message,
        "failure": failure,
        "node": "worker-3",
        "podName": "storefront-2.4.0-1",
        "startTime": clock.stamp(ago),
        "completionTime": clock.stamp(ago - 28),
        "duration": "28s",
        "source": {"url": spec["source"]["git"]["url"], "revision": "8d1f0c27ab34e5d6f7a8091b2c3d4e5f60718293"},
        "cache": {"hits": 2, "misses": 4},
        "timings": {
            "queuedMilliseconds": 1000,
            "scheduledMilliseconds": 0,
            "pulledMilliseconds": 3000,
            "checkMilliseconds": 1000,
            "fetchMilliseconds": 1400,
            "buildMilliseconds": 20600,
            "totalMilliseconds": 28000,
        },
        "attempts": [
            {
                "podName": "storefront-2.4.0-1",
                "reason": "RunCommandFailed",
                "message": message,
                "exitCode": 1,
                "startTime": clock.stamp(ago),
                "completionTime": clock.stamp(ago - 28),
            }
        ],
    }
    return Sample("team-web", "storefront-2.4.0", ago, clock.stamp(ago + 1), spec, status, _log())


def _log() -> list[tuple[str, float, str]]:
    """The log of the build that fails."""
    lines = [
        ("check", 3.2, "kaniko-shim: registry.example.com/team-web/storefront: push allowed"),
        ("build", 4.1, "kaniko-shim: fetching https://git.example.com/team-web/storefront"),
        ("build", 5.3, "kaniko-shim: commit 8d1f0c27ab34 of main, 214 files, 3.1 MB"),
    ]
    at = 5.4
    instructions = DOCKERFILE.splitlines()
    for number, (seconds, cached) in enumerate(STEPS, 1):
        text = instructions[number - 1]
        lines.append(("build", at, f'kaniko-shim: progress: stage=1/2 step={number}/12 instruction="{text}"'))
        lines.append(("build", at + 0.01, f"INFO[{at - 5:04.0f}] {text}"))
        if cached:
            lines.append(("build", at + 0.1, f"INFO[{at - 5:04.0f}] Found cached layer, extracting to filesystem"))
        at += seconds
    start = at - STEPS[-1][0]
    output = OUTPUT.splitlines()
    lines += [("build", start + 0.3 + 1.1 * number, text) for number, text in enumerate(output)]
    lines.append(("build", at, "kaniko-shim: RunCommandFailed: RUN npm run build failed with exit code 1"))
    return lines


def _building(clock: Clock) -> Sample:
    spec = _spec("team-data", "ingest", "5f4")
    progress = {"summary": "4/9", "step": 4, "steps": 9, "stage": 1, "stages": 1}
    status = {
        "phase": "Building",
        "message": "Step 4 of 9 runs.",
        "startTime": clock.stamp(41),
        "node": "worker-1",
        "podName": "ingest-5f4-1",
        "progress": {**progress, "instruction": "RUN pip install -r requirements.txt", "startTime": clock.stamp(17)},
        "conditions": [_condition("Waiting", clock.stamp(36), "False")],
    }
    return Sample("team-data", "ingest-5f4", 41, clock.stamp(43), spec, status)


def _queued(clock: Clock) -> Sample:
    status = {
        "phase": "Queued",
        "reason": "NamespaceLimit",
        "message": "Waiting: the namespace runs its limit of 1 build.",
        "queue": {"position": 1, "message": "the namespace runs its limit of 1 build"},
        "waitStartTime": clock.stamp(70),
    }
    return Sample("team-data", "notebook-45", 70, clock.stamp(71), _spec("team-data", "notebook", "45"), status)


def _waiting(clock: Clock) -> Sample:
    status = {
        "phase": "Preparing",
        "reason": "SecretNotFound",
        "message": "Secret registry-push not found in team-web. Create it; the build continues automatically.",
        "startTime": clock.stamp(64),
    }
    return Sample("team-web", "search-81", 64, clock.stamp(65), _spec("team-web", "search", "81"), status)


def _cancelled(clock: Clock) -> Sample:
    status = {
        "phase": "Cancelled",
        "reason": "Superseded",
        "message": "A newer build of the concurrency group mailer has started.",
        "startTime": clock.stamp(4400),
        "completionTime": clock.stamp(4391),
        "duration": "9s",
    }
    return Sample("team-web", "mailer-117", 4400, clock.stamp(4401), _spec("team-web", "mailer", "117"), status)


def _platforms(clock: Clock) -> Sample:
    names = ("linux/amd64", "linux/arm64")
    spec = _spec("team-platform", "base-alpine", "3.22")
    spec["output"]["platforms"] = list(names)
    timings = {
        "queuedMilliseconds": 1000,
        "scheduledMilliseconds": 0,
        "pulledMilliseconds": 3000,
        "checkMilliseconds": 1000,
        "fetchMilliseconds": 700,
        "buildMilliseconds": 26400,
    }
    done = {
        "platform": names[0],
        "phase": "Succeeded",
        "node": "worker-2",
        "timings": {**timings, "pushMilliseconds": 4100},
    }
    progress = {"summary": "7/8", "step": 7, "steps": 8, "stage": 1, "stages": 1, "instruction": "RUN apk upgrade"}
    runs = {"platform": names[1], "phase": "Building", "node": "worker-7", "progress": progress}
    status = {
        "phase": "Building",
        "message": "1 of 2 platforms is built.",
        "startTime": clock.stamp(95),
        "progress": progress,
        "platforms": [
            {**done, "startTime": clock.stamp(95), "completionTime": clock.stamp(59)},
            {**runs, "startTime": clock.stamp(95)},
        ],
    }
    return Sample("team-platform", "base-alpine-3.22", 95, clock.stamp(96), spec, status)


def _condition(kind: str, time: str, status: str) -> Json:
    return {"type": kind, "status": status, "lastTransitionTime": time, "reason": "Building", "message": ""}
