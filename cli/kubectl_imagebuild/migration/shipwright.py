"""Build and BuildRun of Shipwright (shipwright.io/v1beta1 and v1alpha1), also Builds for Red Hat OpenShift.

The fields are those of docs/build.md and docs/buildrun.md of github.com/shipwright-io/build.
"""

import re
from collections.abc import Mapping
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
    tracked,
)

GROUP: Final = "shipwright.io"
_REFERENCE: Final = re.compile(r"(?P<name>[^=]+)=\$\{(?:SECRET|CONFIGMAP)_VALUE\}")
_WITHOUT_DOCKERFILE: Final = ("buildpacks", "ko", "s2i", "source-to-image")


def migrate(document: Mapping[str, Any], others: Mapping[tuple[str, str], Mapping[str, Any]]) -> Migrated:
    """Migrate a Build or BuildRun.

    Args:
        document: The object.
        others: The Builds of the same input, by namespace and name.
    """
    metadata = document.get("metadata") or {}
    name = str(metadata.get("name") or metadata.get("generateName") or "")
    done = Migrated(f"{document['kind']} {name}")
    if document["kind"] == "Build":
        fields = Fields(document)
        spec, images = _spec(fields, "spec", done)
        triggers = _triggers(fields, spec, done)
        done.documents.append(tracked(metadata, spec, images, triggers))
        if not triggers:
            done.notes.append(f"One build starts at once, and others on request: kubectl imagebuild run {name}.")
        keep_history(done.documents[0], fields, "spec.retention.succeededLimit", "spec.retention.failedLimit")
        done.notes += fields.rest()
        return done
    return _run(document, metadata, others, done)


def _run(
    document: Mapping[str, Any],
    metadata: Mapping[str, Any],
    others: Mapping[tuple[str, str], Mapping[str, Any]],
    done: Migrated,
) -> Migrated:
    fields = Fields(document)
    wanted = fields.text("spec.build.name") or fields.text("spec.buildRef.name")
    if wanted:
        build = others.get((str(metadata.get("namespace") or ""), wanted))
        if build is None:
            done.notes.append(f"It runs the Build {wanted}, which is not in the input. Add it, and migrate again.")
            return done
        base = Fields(build)
        spec, images = _spec(base, "spec", done)
        base.drop("spec.trigger", "spec.retention.succeededLimit", "spec.retention.failedLimit")
        done.notes += base.rest()
        own, own_images = _spec(fields, "spec", done)
        spec, images = _merged(spec, own), own_images or images
    else:
        spec, images = _spec(fields, "spec.build.spec", done)
        put(spec, "timeoutSeconds", seconds(fields.text("spec.timeout")))
    if fields.text("spec.state"):
        spec["cancel"] = True
    put(spec, "podTemplate.spec.serviceAccountName", fields.text("spec.serviceAccount"))
    put(spec, "output.images", images)
    done.documents.append(manifest("ImageBuild", metadata, spec))
    done.notes += fields.rest()
    return done


def _merged(base: Document, own: Document) -> Document:
    """The spec of a Build with what its BuildRun says."""
    merged = dict(base)
    for name, value in own.items():
        before = merged.get(name)
        merged[name] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def _spec(fields: Fields, at: str, done: Migrated) -> tuple[Document, list[str]]:
    """The spec of an ImageBuild without its images, and these."""
    spec: Document = {}
    fields.drop(f"{at}.source.type")
    put(spec, "source.git.url", fields.text(f"{at}.source.git.url") or fields.text(f"{at}.source.url"))
    put(spec, "source.git.revision", fields.text(f"{at}.source.git.revision") or fields.text(f"{at}.source.revision"))
    secret = fields.text(f"{at}.source.git.cloneSecret") or fields.text(f"{at}.source.credentials.name")
    put(spec, "source.git.secretRef.name", secret)
    fields.drop(f"{at}.source.git.depth")
    put(spec, "source.oci.image", fields.text(f"{at}.source.ociArtifact.image"))
    put(spec, "source.oci.secretRef.name", fields.text(f"{at}.source.ociArtifact.pullSecret"))
    if fields.take(f"{at}.source.local") is not None:
        done.notes.append("The source is a directory of your machine: kubectl imagebuild build DIR -t IMAGE builds it.")
        spec.setdefault("source", {})["upload"] = {}
    put(spec, "contextDir", fields.text(f"{at}.source.contextDir"))
    put(spec, "dockerfile.path", fields.text(f"{at}.dockerfile"))
    _strategy(fields, at, done)
    for parameter in fields.items(f"{at}.paramValues"):
        _parameter(parameter, spec, done)
    put(spec, "env", fields.items(f"{at}.env"))
    put(spec, "timeoutSeconds", seconds(fields.text(f"{at}.timeout")))
    put(
        spec,
        "output.pushSecretRef.name",
        fields.text(f"{at}.output.pushSecret") or fields.text(f"{at}.output.credentials.name"),
    )
    put(spec, "output.labels", fields.take(f"{at}.output.labels"))
    put(spec, "output.platforms", fields.take(f"{at}.output.platforms"))
    _timestamp(fields, at, spec, done)
    image = fields.text(f"{at}.output.image")
    if fields.take(f"{at}.output.insecure"):
        put(spec, "registries", [{"host": registry_of(image), "plainHTTP": True}])
    for field in ("nodeSelector", "tolerations", "schedulerName", "runtimeClassName"):
        put(spec, f"podTemplate.spec.{field}", fields.take(f"{at}.{field}"))
    ends = [seconds(fields.text(f"{at}.retention.{field}")) for field in ("ttlAfterSucceeded", "ttlAfterFailed")]
    put(spec, "ttlSecondsAfterFinished", max(filter(None, ends), default=None))
    return spec, [image] if image else []


def _strategy(fields: Fields, at: str, done: Migrated) -> None:
    name = fields.text(f"{at}.strategy.name")
    fields.drop(f"{at}.strategy")
    if any(name == each or name.startswith(f"{each}-") for each in _WITHOUT_DOCKERFILE):
        done.notes.append(f"The strategy {name} needs no Dockerfile; an ImageBuild does. Write one.")


def _parameter(parameter: Mapping[str, Any], spec: Document, done: Migrated) -> None:
    name, value, values = parameter.get("name"), parameter.get("value"), parameter.get("values") or []
    match name:
        case "dockerfile":
            put(spec, "dockerfile.path", value)
        case "target":
            put(spec, "target", value)
        case "platforms" | "architectures":
            put(spec, "output.platforms", [each["value"] for each in values if each.get("value")])
        case "build-args":
            found = [argument for each in values if (argument := _argument(each, done))]
            put(spec, "buildArgs", found)
        case _:
            done.notes.append(f"spec.paramValues: {name} has no counterpart and is left out.")


def _argument(value: Mapping[str, Any], done: Migrated) -> Document | None:
    if "value" in value:
        return name_and_value(str(value["value"]))
    for kind, field in (("secretKeyRef", "secretValue"), ("configMapKeyRef", "configMapValue")):
        reference = value.get(field)
        if isinstance(reference, dict):
            if found := _REFERENCE.fullmatch(str(reference.get("format") or "")):
                key = {"name": reference.get("name"), "key": reference.get("key")}
                return {"name": found["name"], "valueFrom": {kind: key}}
            done.notes.append(
                f"spec.paramValues: a build argument of {field} without a format NAME=${{…}} is left out."
            )
    return None


def _timestamp(fields: Fields, at: str, spec: Document, done: Migrated) -> None:
    """`output.timestamp`: Zero, SourceTimestamp, BuildTimestamp, or seconds."""
    text = fields.text(f"{at}.output.timestamp")
    known = {"Zero": "Zero", "SourceTimestamp": "Commit"}
    if text and text != "BuildTimestamp":
        put(spec, "output.timestamp", known.get(text, text))
        put(spec, "engine", "BuildKit")
        done.notes.append("output.timestamp needs engine BuildKit, which is set.")


def _triggers(fields: Fields, spec: Document, done: Migrated) -> Document:
    triggers: Document = {}
    fields.drop("spec.trigger.triggerSecret")
    for each in fields.items("spec.trigger.when"):
        match each.get("type"):
            case "GitHub" if "git" in spec.get("source", {}):
                triggers["source"] = {}
                branches = (each.get("github") or {}).get("branches") or []
                git = spec["source"]["git"]
                if len(branches) == 1:
                    git.setdefault("revision", branches[0])
                if branches and branches != [git.get("revision")]:
                    done.notes.append(
                        f"spec.trigger: a TrackedImage follows one branch. Write one for each: {', '.join(branches)}."
                    )
            case "Image":
                triggers["baseImages"] = {}
            case kind:
                done.notes.append(f"spec.trigger: {kind} has no counterpart and is left out.")
    return triggers
