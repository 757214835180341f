"""Pods, Jobs and CronJobs that run kaniko's executor.

The flags are those of the README of github.com/GoogleContainerTools/kaniko.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from imagebuild_vocabulary.image_names import registry_of

from kubectl_imagebuild.migration.fields import (
    Document,
    Fields,
    Migrated,
    keep_history,
    manifest,
    name_and_value,
    put,
    seconds,
    split_image,
    tracked,
)

#: Where the pod's spec is in each kind.
POD_SPECS: Final = {
    "Pod": "spec",
    "Job": "spec.template.spec",
    "CronJob": "spec.jobTemplate.spec.template.spec",
}
_SWITCHES: Final = frozenset(
    {"cache", "cleanup", "force", "insecure", "insecure-pull", "no-push", "reproducible", "single-snapshot"}
    | {"skip-tls-verify", "skip-tls-verify-pull", "use-new-run", "skip-unused-stages", "cache-copy-layers"}
    | {"cache-run-layers", "compressed-caching", "ignore-var-run", "no-push-cache", "skip-default-registry-fallback"}
    | {"log-timestamp", "push-ignore-immutable-tag-errors", "initial-fs-unpacked", "single-snapshot"}
)
#: Flags about the log, files of the pod, and the pod as a machine: the operator sees to that.
_OF_THE_POD: Final = frozenset(
    {"cleanup", "digest-file", "force", "image-name-with-digest-file", "image-name-tag-with-digest-file"}
    | {"log-format", "log-timestamp", "verbosity", "skip-unused-stages", "oci-layout-path", "kaniko-dir"}
)
_OF_ALL_REGISTRIES: Final = frozenset({"insecure", "insecure-pull", "skip-tls-verify", "skip-tls-verify-pull"})
_FIELDS: Final = {"cache-repo": "cache.repo", "target": "target"}
_SHORT: Final = {
    "c": "context",
    "customPlatform": "custom-platform",
    "d": "destination",
    "f": "dockerfile",
    "v": "verbosity",
}
_GIT: Final = re.compile(r"git://(?P<url>[^#]+)(?:#(?P<revision>[^#]+))?(?:#(?P<commit>[0-9a-f]{40}))?")
_OF_A_POD: Final = ("affinity", "nodeSelector", "priorityClassName", "runtimeClassName")
_OF_JOBS: Final = ("completionMode", "completions", "manualSelector", "parallelism", "podReplacementPolicy", "selector")
#: What the API server writes into each pod and container, or Jobs into their pods, and users hardly ever do.
_SET_BY_THE_SERVER: Final = (
    *("dnsPolicy", "enableServiceLinks", "nodeName", "preemptionPolicy", "priority", "restartPolicy", "serviceAccount"),
    *("terminationGracePeriodSeconds", "terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy"),
)
_OF_EVERY_POD: Final = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})
_DOCKER_CONFIG: Final = "/kaniko/.docker"
_OF_THE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
_GIT_LOGIN: Final = ("GIT_USERNAME", "GIT_PASSWORD", "GIT_OF_THE_ACCOUNT")


def runs_kaniko(document: Mapping[str, Any]) -> bool:
    """Whether an object is a pod, Job or CronJob with a container that runs the executor."""
    return any("kaniko" in str(each.get("image")) for each in _containers(document))


def migrate(document: Mapping[str, Any]) -> Migrated:
    """Migrate a Pod, Job or CronJob that runs kaniko."""
    metadata, kind = document.get("metadata") or {}, str(document["kind"])
    done = Migrated(f"{kind} {metadata.get('name') or metadata.get('generateName')}")
    fields = Fields(document)
    at = POD_SPECS[kind]
    containers = fields.items(f"{at}.containers")
    container = next(each for each in containers if "kaniko" in str(each.get("image")))
    done.notes += [f"The container {each.get('name')} is left out." for each in containers if each is not container]
    own = Fields(container)
    own.drop("name", "image", *_SET_BY_THE_SERVER)
    command = [str(each) for each in own.items("command")]
    if command and not command[0].endswith("executor"):
        done.notes.append(
            f"It runs {command[0]}, in which the flags are not seen. Write them as args, and migrate again."
        )
        return done
    spec: Document = {}
    flags = list(_flags([*command[1:], *own.items("args")]))
    executor = _Executor(spec, done)
    executor.read(flags)
    images = executor.images
    _of_container(own, fields.items(f"{at}.volumes"), spec, done)
    fields.drop(*(f"{at}.{name}" for name in _SET_BY_THE_SERVER))
    done.notes += (f"{at}.containers: {each}" for each in own.rest())
    if fields.text(f"{at}.schedulerName") not in {"", "default-scheduler"}:
        done.notes.append(f"{at}.schedulerName: name it in podTemplate.spec.")
    tolerations = [each for each in fields.items(f"{at}.tolerations") if each.get("key") not in _OF_EVERY_POD]
    put(spec, "podTemplate.spec.tolerations", tolerations)
    for name in _OF_A_POD:
        put(spec, f"podTemplate.spec.{name}", fields.take(f"{at}.{name}"))
    if fields.text(f"{at}.serviceAccountName") not in {"", "default"}:
        done.notes.append(
            f"{at}.serviceAccountName: builds have no token. For credentials of a cloud, see docs/how-to/registries."
        )
    job = {"Job": "spec", "CronJob": "spec.jobTemplate.spec"}.get(kind, "")
    put(spec, "timeoutSeconds", fields.take(f"{job or at}.activeDeadlineSeconds"))
    if job:
        put(spec, "retry.limit", fields.take(f"{job}.backoffLimit"))
        put(spec, "ttlSecondsAfterFinished", fields.take(f"{job}.ttlSecondsAfterFinished"))
        fields.drop(*(f"{job}.{name}" for name in _OF_JOBS), f"{job}.template.metadata", "spec.jobTemplate.metadata")
    if kind == "CronJob":
        schedule: Document = {}
        put(schedule, "cron", fields.text("spec.schedule"))
        put(schedule, "timeZone", fields.text("spec.timeZone"))
        fields.drop("spec.concurrencyPolicy", "spec.startingDeadlineSeconds")
        made = tracked(metadata, spec, images, {"schedule": schedule})
        put(made["spec"], "suspend", fields.take("spec.suspend"))
        keep_history(made, fields, "spec.successfulJobsHistoryLimit", "spec.failedJobsHistoryLimit")
    else:
        put(spec, "output.images", images)
        made = manifest("ImageBuild", metadata, spec)
    done.documents.append(made)
    done.notes += fields.rest()
    return done


def _containers(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Any = document
    for name in POD_SPECS.get(str(document.get("kind")), "").split("."):
        found = found.get(name) if isinstance(found, dict) else None
    containers = found.get("containers") if isinstance(found, dict) else None
    return [each for each in containers or () if isinstance(each, dict)]


def _flags(arguments: Sequence[object]) -> Iterator[tuple[str, str]]:
    """The flags and their values; a switch has `true`."""
    waiting = ""
    for argument in map(str, arguments):
        if waiting:
            # Of a switch that is not known here, the next flag is no value.
            is_value = not argument.startswith("--")
            yield waiting, argument if is_value else "true"
            waiting = ""
            if is_value:
                continue
        name, equals, value = argument.lstrip("-").partition("=")
        name = _SHORT.get(name, name)
        if equals or name in _SWITCHES:
            yield name, value if equals else "true"
        else:
            waiting = name
    if waiting:
        yield waiting, "true"


@dataclass
class _Executor:
    """What the flags of an executor say."""

    spec: Document
    done: Migrated
    images: list[str] = field(default_factory=list)
    registries: dict[str, Document] = field(default_factory=dict)

    def read(self, flags: Sequence[tuple[str, str]]) -> None:
        """Take the flags."""
        for name, value in flags:
            if place := _FIELDS.get(name):
                put(self.spec, place, value)
            elif handle := getattr(self, f"_on_{name.replace('-', '_')}", None):
                handle(value)
            elif name not in _OF_THE_POD | _OF_ALL_REGISTRIES:
                shown = f"--{name}" if value == "true" else f"--{name}={value}"
                told = "executor.args takes some flags: docs/reference/builder-image.md lists them."
                self.done.notes.append(f"{shown} has no field of its own and is left out. {told}")
        switched = {name for name, value in flags if value == "true"}
        for image in self.images:
            host = registry_of(image)
            if "insecure" in switched:
                self._on_insecure_registry(host)
            if "skip-tls-verify" in switched:
                self._on_skip_tls_verify_registry(host)
        for flag in sorted({"insecure-pull", "skip-tls-verify-pull"} & switched):
            self.done.notes.append(f"--{flag} is for all registries: name those that need it in registries.")
        put(self.spec, "registries", list(self.registries.values()))
        cache = self.spec.get("cache", {})
        if cache.get("enabled") and self.images:
            cache.setdefault("repo", f"{split_image(self.images[0])[0]}/cache")

    def _registry(self, host: str) -> Document:
        return self.registries.setdefault(host, {"host": host})

    def _on_context(self, value: str) -> None:
        _context(value, self.spec, self.done)

    def _on_context_sub_path(self, value: str) -> None:
        put(self.spec, "contextDir", value.strip("/"))

    def _on_dockerfile(self, value: str) -> None:
        put(self.spec, "dockerfile.path", value.removeprefix("/workspace/").removeprefix("./"))

    def _on_destination(self, value: str) -> None:
        self.images.append(value)

    def _on_build_arg(self, value: str) -> None:
        self.spec.setdefault("buildArgs", []).append(name_and_value(value))

    def _on_label(self, value: str) -> None:
        name, _, text = value.partition("=")
        put(self.spec, "output.labels", {**self.spec.get("output", {}).get("labels", {}), name: text})

    def _on_custom_platform(self, value: str) -> None:
        put(self.spec, "output.platforms", [value])

    def _on_cache(self, value: str) -> None:
        put(self.spec, "cache.enabled", value == "true")

    def _on_cache_ttl(self, value: str) -> None:
        put(self.spec, "cache.ttlSeconds", seconds(value))

    def _on_no_push(self, value: str) -> None:
        put(self.spec, "output.push", value != "true")

    def _on_insecure_registry(self, value: str) -> None:
        self._registry(value)["plainHTTP"] = True

    def _on_skip_tls_verify_registry(self, value: str) -> None:
        self._registry(value)["insecureSkipTLSVerify"] = True

    def _on_registry_mirror(self, value: str) -> None:
        self._registry("docker.io").setdefault("mirrors", []).append(value)

    def _on_registry_map(self, value: str) -> None:
        host, _, place = value.partition("=")
        self._registry(host)["mapTo"] = place


def _context(context: str, spec: Document, done: Migrated) -> None:
    scheme, found, rest = context.partition("://")
    if git := _GIT.fullmatch(context):
        put(spec, "source.git.url", f"https://{git['url']}")
        revision = git["commit"] or (git["revision"] or "").removeprefix("refs/heads/").removeprefix("refs/tags/")
        put(spec, "source.git.revision", revision)
    elif not found or scheme == "dir":
        done.notes.append(
            f"--context={context} is a directory of the pod: name its volume in source.persistentVolumeClaim."
        )
        put(spec, "source.persistentVolumeClaim.claimName", "CLAIM")
    elif scheme in {"http", "https"}:
        put(spec, "source.http.url", context)
    elif scheme == "tar" and rest == "stdin":
        done.notes.append("--context=tar://stdin: kubectl imagebuild build DIR -t IMAGE sends a directory.")
        spec.setdefault("source", {})["upload"] = {}
    elif scheme == "s3":
        bucket, _, key = rest.partition("/")
        put(spec, "source.s3", {"bucket": bucket, "key": key})
    else:
        put(spec, "source.url", context)


def _of_container(container: Fields, volumes: Sequence[Mapping[str, Any]], spec: Document, done: Migrated) -> None:
    logins = list[str]()
    for variable in container.items("env"):
        if variable.get("name") in _GIT_LOGIN:
            secret = ((variable.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name")
            logins.append(secret or "GIT-SECRET")
        elif variable.get("name") != "DOCKER_CONFIG":
            spec.setdefault("env", []).append(variable)
    if logins and "git" in spec.get("source", {}):
        put(spec, "source.git.secretRef.name", logins[-1])
        done.notes.append(
            f"The Secret {logins[-1]} needs type kubernetes.io/basic-auth, with the keys username and password."
        )
    put(spec, "resources", container.take("resources"))
    named = {each.get("name"): each for each in volumes}
    for mount in container.items("volumeMounts"):
        volume, path = named.get(mount.get("name")) or {}, str(mount.get("mountPath") or "").rstrip("/")
        secret, claim = volume.get("secret") or {}, volume.get("persistentVolumeClaim") or {}
        is_context = spec.get("source", {}).get("persistentVolumeClaim", {}).get("claimName") == "CLAIM"
        if path == _OF_THE_ACCOUNT:
            continue
        if path.startswith(_DOCKER_CONFIG) and secret:
            put(spec, "output.pushSecretRef.name", secret.get("secretName"))
            if not any(item.get("key") == ".dockerconfigjson" for item in secret.get("items") or ()):
                done.notes.append(f"The Secret {secret.get('secretName')} needs type kubernetes.io/dockerconfigjson.")
            done.notes.append(
                "Private base images need pullSecretRefs. Name a Secret that can only pull: RUN steps may read it."
            )
        elif claim and is_context:
            spec["source"]["persistentVolumeClaim"]["claimName"] = claim["claimName"]
            done.notes.pop(next(at for at, note in enumerate(done.notes) if note.startswith("--context=")))
        else:
            done.notes.append(f"The volume {mount.get('name')} at {path} has no counterpart and is left out.")
