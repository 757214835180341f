"""Pushes the attestations and signatures of an image to the image's repository."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaniko_shim.attest.artifact import Artifact, Subject, layout_index
from kaniko_shim.attest.attestation import Predicates, compose
from kaniko_shim.oci.blobs import write_layout
from kaniko_shim.outcome.result import Attached
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.push import Pusher
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.system.job import Job

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import Key


@dataclass(frozen=True, slots=True)
class Attacher:
    """Attaches attestations and signatures to images.

    Attributes:
        job: the job.
        crane: pushes.
        silence: seconds without output that a heartbeat ends.
        key: the key that signs; None: nothing is signed.
    """

    job: Job
    crane: Crane
    silence: float
    key: "Key | None" = field(repr=False)

    def attach(
        self, outputs: Iterable[ImageReference], subject: Subject, predicates: Predicates
    ) -> tuple[Attached, ...]:
        """Attach to an image in each repository of the outputs.

        Returns:
            What is attached to it in the first repository.

        Raises:
            JobError: a registry's reason.
        """
        places = dict.fromkeys(ImageReference(output.registry, output.repository) for output in outputs)
        attached = [self._attach(place, subject, predicates) for place in places]
        return attached[0] if attached else ()

    def _attach(self, place: ImageReference, subject: Subject, predicates: Predicates) -> tuple[Attached, ...]:
        attached = list[Attached]()
        for each in compose(place.name, subject, predicates, self.key):
            self._push(each.artifact, ImageReference(place.registry, place.repository, digest=each.artifact.digest))
            attached.append(Attached(each.kind, each.artifact.digest))
        # Without a public key, older versions of cosign have nothing to verify a tag's signatures with.
        if self.key and self.key.public:
            self._sign(place, subject.digest, self.key)
        return tuple(attached)

    def _sign(self, place: ImageReference, digest: str, key: "Key") -> None:
        from kaniko_shim.attest.simplesigning import held_signatures, sign, signature_tag  # noqa: PLC0415 - with a key only

        where = ImageReference(place.registry, place.repository, tag=signature_tag(digest))
        signed = sign(place.name, digest, key, held_signatures(self.crane.find_manifest(where) or b""))
        if signed:
            self._push(signed, where)

    def _push(self, artifact: Artifact, where: ImageReference) -> None:
        layout = self.job.paths.scratch / "attestation"
        shutil.rmtree(layout, ignore_errors=True)
        write_layout(layout, layout_index(artifact), (artifact.manifest, *artifact.blobs))
        Pusher(self.job, self.crane, self.silence, layout, artifact.digest).push(where)
