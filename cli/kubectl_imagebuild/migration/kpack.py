"""Image of kpack (kpack.io/v1alpha2 and v1alpha1), which builds without a Dockerfile.

The fields are those of docs/image.md of github.com/buildpacks-community/kpack.
"""

from collections.abc import Mapping
from typing import Any, Final

from kubectl_imagebuild.migration.fields import Document, Fields, Migrated, keep_history, put, tracked

GROUP: Final = "kpack.io"
_OF_POD: Final = ("affinity", "nodeSelector", "runtimeClassName", "schedulerName", "tolerations", "priorityClassName")


def migrate(document: Mapping[str, Any]) -> Migrated:
    """Migrate an Image."""
    metadata = document.get("metadata") or {}
    done = Migrated(f"Image {metadata.get('name')}")
    fields = Fields(document)
    spec: Document = {}
    triggers: Document = {"baseImages": {}}
    put(spec, "source.git.url", fields.text("spec.source.git.url"))
    put(spec, "source.git.revision", fields.text("spec.source.git.revision"))
    put(spec, "source.git.submodules", fields.take("spec.source.git.initializeSubmodules"))
    put(spec, "source.http.url", fields.text("spec.source.blob.url"))
    put(spec, "source.oci.image", fields.text("spec.source.registry.image"))
    put(spec, "contextDir", fields.text("spec.source.subPath"))
    if "git" in spec.get("source", {}):
        triggers["source"] = {"interval": "1m"}
    builder = fields.text("spec.builder.name") or fields.text("spec.builder.image")
    fields.drop("spec.builder")
    done.notes.append(f"The builder {builder} needs no Dockerfile; a TrackedImage does. Write one.")
    variables = [each for each in fields.items("spec.build.env") if "name" in each]
    put(spec, "buildArgs", variables)
    if variables:
        done.notes.append("spec.build.env is in buildArgs: declare each with ARG in the Dockerfile.")
    put(spec, "resources", fields.take("spec.build.resources"))
    put(spec, "timeoutSeconds", fields.take("spec.build.buildTimeout"))
    for field in _OF_POD:
        put(spec, f"podTemplate.spec.{field}", fields.take(f"spec.build.{field}"))
    account = fields.text("spec.serviceAccountName") or fields.text("spec.serviceAccount") or "default"
    put(spec, "output.pushSecretRef.name", "PUSH-SECRET")
    done.notes.append(
        f"Name the Secrets of the ServiceAccount {account}: that for pushing in output.pushSecretRef, in place of "
        "PUSH-SECRET, that for Git in source.git.secretRef, and those for private base images in pullSecretRefs."
    )
    if fields.take("spec.cache") is not None:
        done.notes.append("spec.cache: the layer cache is in a registry (cache.enabled, cache.repo), not in a volume.")
    images = list(filter(None, [fields.text("spec.tag"), *fields.items("spec.additionalTags")]))
    made = tracked(metadata, spec, images, triggers)
    keep_history(made, fields, "spec.successBuildHistoryLimit", "spec.failedBuildHistoryLimit")
    fields.drop("spec.imageTaggingStrategy")
    done.documents.append(made)
    done.notes += fields.rest()
    return done
