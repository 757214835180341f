"""The builds of a chaos run: one after another of every kind, in several namespaces. Pure: chance comes from a seed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from chaos.records import Expected

NAMESPACES: Final = ("chaos-one", "chaos-two", "chaos-three")
#: How many builds may run at once, of a namespace and of all.
LIMITS: Final[Mapping[str, int]] = {"chaos-one": 2}
CLUSTER_LIMIT: Final = 5
#: How many pods may run at once in a namespace, by its ResourceQuota.
QUOTAS: Final[Mapping[str, int]] = {"chaos-three": 2}
PUSH_SECRET: Final = "push"
TOKEN_SECRET: Final = "token"
#: Seconds in which an upload has to arrive: more than all faults take.
UPLOAD_SECONDS: Final = 1800
SUCCEEDED: Final = {"Succeeded": frozenset({""})}


@dataclass(frozen=True)
class Registries:
    """What builds call the registries."""

    plain: str
    private: str


@dataclass(frozen=True)
class Build:
    """A build of the run.

    Attributes:
        namespace: Its namespace.
        name: Its name, which begins with its kind.
        spec: Its spec.
        expected: How it has to end.
        change: The change of its spec that its user makes; None for none.
        at: The phase in which the user makes it.
        files: What its user uploads, by name; empty if its source is another.
    """

    namespace: str
    name: str
    spec: Mapping[str, Any]
    expected: Expected
    change: Mapping[str, Any] | None = None
    at: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """What is particular to a kind of build."""

    dockerfile: str
    ends: Mapping[str, frozenset[str]] = field(default_factory=lambda: SUCCEEDED)
    spec: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)
    change: Mapping[str, Any] | None = None
    at: str = ""
    group: str = ""
    is_private: bool = False
    #: Bytes of random data that are uploaded with the Dockerfile; 0 for a build that has both in its spec.
    upload: int = 0


#: Of the soak: as short as a build can be.
SMALL: Final = Recipe("FROM busybox\nCOPY data /\n")
RECIPES: Final[Mapping[str, Recipe]] = {
    "well": Recipe("FROM busybox\nCOPY data /\nRUN sleep 2 && echo built > /built\n"),
    "long": Recipe("FROM busybox\nRUN sleep 20\nRUN echo built > /built\n"),
    "secret": Recipe(
        'FROM busybox\nARG TOKEN\nRUN test -n "$TOKEN" && sleep 3\n',
        spec={"buildArgs": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": TOKEN_SECRET, "key": "token"}}}]},
    ),
    "private": Recipe("FROM busybox\nRUN sleep 2 && head -c 3000000 /dev/urandom > /data\n", is_private=True),
    "failing": Recipe("FROM busybox\nRUN sleep 2 && exit 3\n", {"Failed": frozenset({"RunCommandFailed"})}),
    "missing": Recipe("FROM busybox\nCOPY nothing /\n", {"Failed": frozenset({"CopyFailed"})}),
    "cached": Recipe("FROM busybox\nRUN echo cached > /cached\nRUN sleep 1\n", spec={"cache": {"enabled": True}}),
    "multi": Recipe(
        "FROM scratch\nCOPY data /\n", output={"platforms": ["linux/amd64", "linux/arm64"], "platformNodes": "Any"}
    ),
    # The upload takes a while, so that faults meet it; each attempt needs it again.
    "uploaded": Recipe("FROM busybox\nCOPY data /\nRUN sleep 1\n", upload=20_000_000),
    "serial": Recipe(
        "FROM busybox\nRUN sleep 3\n", spec={"concurrency": {"group": "line", "policy": "Serial"}}, group="line"
    ),
    # A build that is cancelled when it has just pushed succeeds; this one never pushes.
    "cancelled": Recipe(
        "FROM busybox\nRUN sleep 900\n",
        {"Cancelled": frozenset({"Cancelled"})},
        change={"cancel": True},
        at="Building",
    ),
    "held": Recipe("FROM busybox\nRUN sleep 1\n", spec={"suspend": True}, change={"suspend": False}, at="Queued"),
    "expiring": Recipe("FROM busybox\nRUN sleep 1\n", spec={"ttlSecondsAfterFinished": 5}),
}


def workload(seed: str, registries: Registries, recipes: Mapping[str, Recipe] = RECIPES) -> Iterator[Build]:
    """Builds without end: each kind once, in random order and namespaces, then again."""
    random = Random(seed)
    number = 0
    while True:
        for kind in random.sample(sorted(recipes), len(recipes)):
            yield _build(kind, recipes[kind], number, random, registries)
            number += 1


def _build(kind: str, recipe: Recipe, number: int, random: Random, registries: Registries) -> Build:
    namespace, name = random.choice(NAMESPACES), f"{kind}-{number}"
    registry = registries.private if recipe.is_private else registries.plain
    image = f"{registry}/{namespace}/{name}:1"
    output: dict[str, Any] = {"images": [image], **recipe.output}
    files = {"Dockerfile": recipe.dockerfile, "data": f"of {name}\n"}
    uploads: dict[str, bytes] = {}
    if recipe.upload:
        uploads = {"Dockerfile": recipe.dockerfile.encode(), "data": random.randbytes(recipe.upload)}
    spec: dict[str, Any] = {
        "source": {"upload": {"timeoutSeconds": UPLOAD_SECONDS}} if uploads else {"inline": {"files": files}},
        "output": output,
        "retry": {"limit": 10},
        "timeoutSeconds": 3600,
        **recipe.spec,
    }
    if recipe.is_private:
        output["pushSecretRef"] = {"name": PUSH_SECRET}
        spec["registries"] = [{"host": registries.private, "insecureSkipTLSVerify": True}]
    expires = "ttlSecondsAfterFinished" in recipe.spec
    expected = Expected(recipe.ends, (image,), expires=expires, group=recipe.group)
    return Build(namespace, name, spec, expected, recipe.change, recipe.at, uploads)
