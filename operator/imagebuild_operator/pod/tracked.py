"""What a TrackedImage makes: ImageBuilds, and the pod that looks at its remotes."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from imagebuild_vocabulary.names import (
    API_VERSION,
    INPUTS_ANNOTATION,
    INPUTS_LABEL,
    KIND,
    MANAGED_BY_LABEL,
    NUMBER_LABEL,
    OPERATOR,
    TRACKED_KIND,
    TRACKED_LABEL,
    WATCH,
    WATCHER,
)

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.build import BuildSpec
from imagebuild_operator.api.tracked import TrackedImage
from imagebuild_operator.defaults.merge import merge_registries
from imagebuild_operator.observe.flux import Artifact
from imagebuild_operator.pod.env import Variable, of_proxy, plain
from imagebuild_operator.pod.source import context_variables
from imagebuild_operator.pod.unprivileged import RUN_PATH, RUN_VOLUME, UNPRIVILEGED, image_fields
from imagebuild_operator.pod.variables import pull_variables
from imagebuild_operator.settings import BuildDefaults

#: Annotation of a watcher: the hash of its spec.
HASH_ANNOTATION: Final = "imagebuild.dev/spec-hash"
#: Priority of builds that nobody waits for, if the template sets none.
UNHURRIED: Final = -100
MAX_TAG: Final = 128
#: TrackedImages that a watcher looks at, and bytes of what it is told about them, on average: Linux has 128 KiB for a
#: variable, and etcd 1.5 MiB for a pod.
PER_WATCHER: Final = 250
WATCHER_BYTES: Final = 48 * 1024
_NAMES: Final = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_./]*")
_NOT_IN_TAG: Final = re.compile(r"[^A-Za-z0-9_.-]+")


def tags_of(image: TrackedImage, number: int, commit: str, branch: str = "") -> list[str]:
    """The tags that a build's image gets for itself alone; the branch is the template's, unless it is given."""
    source = image.spec.template.get("source") or {}
    branch = branch or str((source.get("git") or {}).get("revision") or "HEAD").removeprefix("refs/heads/")
    values = {"branch": branch, "number": str(number), "commit": commit, "shortCommit": commit[:8]}
    filled = (
        re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template) for template in image.spec.tags
    )
    return list(dict.fromkeys(_NOT_IN_TAG.sub("-", text).lstrip(".-")[:MAX_TAG] for text in filled))


def image_build(
    image: TrackedImage,
    number: int,
    commit: str,
    inputs: Mapping[str, Any],
    inputs_hash: str,
    *,
    cache: bool,
    selector: str = "",
    artifact: Artifact | None = None,
) -> Document:
    """The ImageBuild of a TrackedImage with a number.

    Args:
        image: The TrackedImage.
        number: Its number, which its name ends in: whoever creates it twice creates one.
        commit: The commit to build; empty for what the template says.
        inputs: What it is made from, for its annotation.
        inputs_hash: The hash of that.
        cache: Whether it may use the layer cache.
        selector: Selects this installation's builds: they get the labels of the TrackedImage that it names.
        artifact: The archive to build, of Flux; None: the template has a source.
    """
    spec = image.spec
    tags = (*tags_of(image, number, commit, artifact.branch if artifact else ""), *spec.moving_tags)
    template = dict(spec.template)
    if artifact:
        template["source"] = {"http": {"url": artifact.url, "sha256": artifact.sha256}}
    elif commit:
        source = template["source"]
        template["source"] = {**source, "git": {**source["git"], "revision": commit}}
    if not cache:
        template["cache"] = {**(template.get("cache") or {}), "enabled": False}
    if "priority" not in template and set(inputs["causes"]) <= {"BaseImage", "Schedule"}:
        template["priority"] = UNHURRIED
    images = [f"{repository}:{tag}" for repository in spec.repositories for tag in tags]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": f"{image.name}-{number}",
            "namespace": image.namespace,
            "labels": {
                **{name: value for name, value in image.labels.items() if name in _NAMES.findall(selector)},
                **spec.labels,
                TRACKED_LABEL: image.name,
                NUMBER_LABEL: str(number),
                INPUTS_LABEL: inputs_hash,
            },
            "annotations": {**spec.annotations, INPUTS_ANNOTATION: json.dumps(inputs, sort_keys=True)},
            "ownerReferences": [owner_of(image, controller=True)],
        },
        "spec": {**template, "output": {**(template.get("output") or {}), "images": images}},
    }


def owner_of(image: TrackedImage, *, controller: bool) -> Document:
    """The reference by which what a TrackedImage makes is deleted with it."""
    owner: Document = {"apiVersion": API_VERSION, "kind": TRACKED_KIND, "name": image.name, "uid": image.uid}
    return {**owner, "controller": True, "blockOwnerDeletion": False} if controller else owner


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched for one TrackedImage.

    Attributes:
        image: The TrackedImage.
        spec: The spec of its builds.
        bases: The base images of the latest one.
    """

    image: TrackedImage
    spec: BuildSpec
    bases: tuple[str, ...]

    @property
    def entry(self) -> Document:
        """What the watcher is told besides where it is."""
        spec, entry = self.image.spec, {"name": self.image.name}
        return {
            **entry,
            **({"sourceSeconds": max(10, spec.source_interval or 0)} if self.has_source else {}),
            **({"paths": list(spec.source_paths)} if spec.source_paths else {}),
            **(
                {"images": list(self.bases), "imageSeconds": max(10, spec.base_interval)}
                if spec.base_interval is not None and self.bases
                else {}
            ),
        }

    @property
    def has_source(self) -> bool:
        """Whether there is a source to look at: Flux looks at its own."""
        return self.image.spec.source_interval is not None and not self.image.spec.flux

    @property
    def has_remotes(self) -> bool:
        """Whether there is anything to look at."""
        return len(self.entry) > 1


def in_pods(watched: Sequence[Watched]) -> list[list[Watched]]:
    """What each watcher of a namespace looks at: a pod and a variable of a process hold only so much.

    A name decides the pod, so that one more TrackedImage restarts one watcher. One may have nothing to do.
    """
    size = sum(len(json.dumps(each.entry)) for each in watched)
    count = max(-(-len(watched) // PER_WATCHER), -(-size // WATCHER_BYTES))
    pods: list[list[Watched]] = [[] for _ in range(count)]
    for each in watched:
        pods[crc32(each.image.name.encode()) % count].append(each)
    return pods


def watcher_name(number: int) -> str:
    """The name of a watcher, counted from 0."""
    return f"{WATCHER}-{number + 1}" if number else WATCHER


def watcher_pod(namespace: str, number: int, watched: Sequence[Watched], defaults: BuildDefaults) -> Document:
    """A pod that looks at the remotes of TrackedImages of a namespace, with the Secrets that they name.

    Args:
        namespace: The namespace.
        number: Which of its watchers, from 0.
        watched: What is watched, of each; at least one.
        defaults: The operator's settings.
    """
    env: list[Variable] = [
        *plain("WATCH", json.dumps([each.entry for each in watched])),
        *plain("WEBHOOK_URL", defaults.webhook_url),
    ]
    for place, each in enumerate(watched):
        registries = merge_registries(each.spec.registries, defaults.registries, lambda registry: registry)
        source = context_variables(each.spec.source) if each.has_source else []
        own = [*source, *pull_variables(each.spec, registries)]
        env += [{**variable, "name": f"W{place}_{variable['name']}"} for variable in own]
    env += of_proxy(defaults.proxy)
    pod_spec: Document = {
        "nodeSelector": dict(defaults.node_selector),
        "tolerations": [dict(toleration) for toleration in defaults.tolerations],
        "imagePullSecrets": [{"name": name} for name in defaults.image_pull_secrets],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 5,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": WATCH,
                **image_fields(defaults),
                "args": [WATCH],
                "env": env,
                "resources": {"requests": {"cpu": "5m", "memory": "40Mi"}, "limits": {"memory": "256Mi"}},
                "securityContext": dict(UNPRIVILEGED),
                "volumeMounts": [{"name": "run", "mountPath": RUN_PATH}],
            }
        ],
        "volumes": [dict(RUN_VOLUME)],
    }
    pod_spec = {name: value for name, value in pod_spec.items() if value or value is False}
    owners = [owner_of(each.image, controller=False) for each in watched]
    digest = hashlib.sha256(json.dumps([pod_spec, owners], sort_keys=True).encode()).hexdigest()[:16]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": watcher_name(number),
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/name": "imagebuild",
                "app.kubernetes.io/component": "watcher",
                MANAGED_BY_LABEL: OPERATOR,
            },
            "annotations": {
                HASH_ANNOTATION: digest,
                "sidecar.istio.io/inject": "false",
                "linkerd.io/inject": "disabled",
            },
            "ownerReferences": owners,
        },
        "spec": pod_spec,
    }
