"""BuildConfig of OpenShift (build.openshift.io/v1).

The fields are those of https://docs.okd.io/latest/rest_api/workloads_apis/buildconfig-build-openshift-io-v1.html.
"""

from collections.abc import Mapping
from typing import Any, Final

from kubectl_imagebuild.migration.fields import Document, Fields, Migrated, keep_history, put, tracked

GROUP: Final = "build.openshift.io"
#: The registry of a cluster, as its pods reach it.
REGISTRY: Final = "image-registry.openshift-image-registry.svc:5000"
_WEBHOOKS: Final = frozenset({"Bitbucket", "Generic", "GitHub", "GitLab"})


def migrate(document: Mapping[str, Any]) -> Migrated:
    """Migrate a BuildConfig."""
    metadata = document.get("metadata") or {}
    name = str(metadata.get("name") or "")
    done = Migrated(f"BuildConfig {name}")
    fields = Fields(document)
    if fields.take("spec.source.binary") is not None:
        done.notes.append(
            "spec.source.binary: kubectl imagebuild build DIR -t IMAGE builds a directory of your machine."
        )
        return done
    spec: Document = {}
    _source(fields, spec)
    _strategy(fields, spec, done)
    images = _output(fields, spec, str(metadata.get("namespace") or "NAMESPACE"), done)
    put(spec, "timeoutSeconds", fields.take("spec.completionDeadlineSeconds"))
    put(spec, "resources", fields.take("spec.resources"))
    put(spec, "podTemplate.spec.nodeSelector", fields.take("spec.nodeSelector"))
    if fields.text("spec.serviceAccount") not in {"", "builder"}:
        done.notes.append("spec.serviceAccount: builds take no Secrets from a ServiceAccount. Name them in the spec.")
    if fields.text("spec.runPolicy") == "Parallel":
        done.notes.append("spec.runPolicy: a TrackedImage builds one image at a time, always of the newest inputs.")
    made = tracked(metadata, spec, images, _triggers(fields, spec, done))
    keep_history(made, fields, "spec.successfulBuildsHistoryLimit", "spec.failedBuildsHistoryLimit")
    done.documents.append(made)
    done.notes += fields.rest()
    return done


def _source(fields: Fields, spec: Document) -> None:
    fields.drop("spec.source.type")
    put(spec, "source.git.url", fields.text("spec.source.git.uri"))
    put(spec, "source.git.revision", fields.text("spec.source.git.ref"))
    put(spec, "source.git.secretRef.name", fields.text("spec.source.sourceSecret.name"))
    for proxy in ("httpProxy", "httpsProxy", "noProxy"):
        put(spec, f"proxy.{proxy}", fields.text(f"spec.source.git.{proxy}"))
    put(spec, "contextDir", fields.text("spec.source.contextDir").strip("/"))
    inline = fields.text("spec.source.dockerfile")
    if "source" in spec:
        put(spec, "dockerfile.inline", inline)
    else:
        put(spec, "source.inline.files", {"Dockerfile": inline} if inline else None)
    secrets = [
        {"id": name, "secretKeyRef": {"name": name, "key": "KEY"}}
        for each in fields.items("spec.source.secrets")
        if (name := (each.get("secret") or {}).get("name"))
    ]
    put(spec, "buildSecrets", secrets)


def _strategy(fields: Fields, spec: Document, done: Migrated) -> None:
    at = "spec.strategy.dockerStrategy"
    fields.drop("spec.strategy.type", f"{at}.forcePull", f"{at}.noCache")
    for kind in ("sourceStrategy", "customStrategy", "jenkinsPipelineStrategy"):
        if fields.take(f"spec.strategy.{kind}") is not None:
            done.notes.append(f"spec.strategy.{kind} needs no Dockerfile; an ImageBuild does. Write one.")
    path = fields.text(f"{at}.dockerfilePath")
    if "inline" not in spec.get("dockerfile", {}):
        put(spec, "dockerfile.path", path)
    put(spec, "buildArgs", [each for each in fields.items(f"{at}.buildArgs") if "name" in each])
    if name := fields.text(f"{at}.pullSecret.name"):
        put(spec, "pullSecretRefs", [{"name": name}])
    if fields.items(f"{at}.env"):
        done.notes.append(f"{at}.env: write ENV instructions in the Dockerfile, with ARG and buildArgs for values.")
    base = fields.take(f"{at}.from")
    if isinstance(base, dict):
        done.notes.append(f"{at}.from replaces the last FROM. Write {base.get('name')} in the Dockerfile.")
    if spec.get("buildSecrets"):
        done.notes.append("buildSecrets: name the key of each Secret, and mount it: RUN --mount=type=secret,id=ID.")


def _output(fields: Fields, spec: Document, namespace: str, done: Migrated) -> list[str]:
    put(spec, "output.pushSecretRef.name", fields.text("spec.output.pushSecret.name"))
    labels = {each["name"]: each.get("value", "") for each in fields.items("spec.output.imageLabels") if "name" in each}
    put(spec, "output.labels", labels)
    kind, name = fields.text("spec.output.to.kind"), fields.text("spec.output.to.name")
    if kind != "ImageStreamTag":
        return [name] if name else []
    into = fields.text("spec.output.to.namespace") or namespace
    done.notes.append(
        f"spec.output.to: the image stream is {REGISTRY}/{into}/{name}. Name a Secret with a token of a ServiceAccount "
        "that may push there in output.pushSecretRef, and the CA of the registry in registries[].caBundle."
    )
    return [f"{REGISTRY}/{into}/{name}"]


def _triggers(fields: Fields, spec: Document, done: Migrated) -> Document:
    triggers: Document = {}
    for each in fields.items("spec.triggers"):
        kind = str(each.get("type"))
        if kind == "ImageChange":
            triggers["baseImages"] = {}
        elif kind in _WEBHOOKS and "git" in spec.get("source", {}):
            triggers["source"] = {}
        elif kind != "ConfigChange":
            done.notes.append(f"spec.triggers: {kind} has no counterpart and is left out.")
    if "source" in triggers:
        done.notes.append(
            "spec.triggers: the branch is polled every 5 minutes (triggers.source.interval), without webhooks."
        )
    return triggers
