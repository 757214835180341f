"""The first of two builds, to which the second is compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kaniko_shim.corroborate.sketch import difference
from kaniko_shim.oci.digests import DIGEST
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Witness:
    """What the first build made, and where.

    Attributes:
        digest: `sha256:…` of the manifest.
        contents: a sketch of what the image consists of.
        pod: the pod that built it.
        node: its node.
    """

    digest: str
    contents: str = field(repr=False)
    pod: str
    node: str

    @classmethod
    def of(cls, document: Mapping[str, object]) -> "Witness":
        """The one that a variable names.

        Raises:
            ValueError: it lacks something.
        """
        values = [document.get(name) for name in ("digest", "contents", "pod", "node")]
        digest, contents, pod, node = (value if isinstance(value, str) else "" for value in values)
        if not DIGEST.fullmatch(digest) or not (contents and pod and node):
            raise ValueError("write digest, contents, pod and node of the first build")
        return cls(digest, contents, pod, node)

    @property
    def byproduct(self) -> dict[str, object]:
        """What the provenance of the second build says of it.

        https://slsa.dev/spec/v1.2/build-provenance: a resource descriptor of `byproducts`.
        """
        algorithm, _, value = self.digest.partition(":")
        annotations = {"imagebuild.dev/pod": self.pod, "imagebuild.dev/node": self.node}
        return {"name": "the same image, built before", "digest": {algorithm: value}, "annotations": annotations}

    def refusal(self, digest: str, contents: Mapping[int, str]) -> JobError:
        """The failure of a second build that has made another image.

        Args:
            digest: of what it has made.
            contents: the name of each thing in it, by its number.
        """
        return JobError(
            Reason.NOT_REPRODUCIBLE,
            f"The image {digest} differs from {self.digest}, which {self.pod} built on {self.node} before: "
            f"{self._told(contents)}. Nothing was pushed.",
        )

    def _told(self, contents: Mapping[int, str]) -> str:
        try:
            found = difference(contents, self.contents)
        except ValueError as error:
            return f"in what can't be told: {error}"
        names = sorted({contents[each] for each in found.here if each in contents})
        shown = ", ".join(names[:_SHOWN])
        if not found.is_whole:
            return f"{shown}, and more that can't be named" if shown else "in more than can be named"
        # What has changed is on both sides, by another number each.
        more, lacking = len(names) - _SHOWN, len(found.there) - len(names)
        if not found.here and not found.there:
            return "in nothing but how its layers are stored, or who owns their files"
        return " and ".join(
            filter(
                None,
                [
                    shown,
                    f"{more} more" if more > 0 else "",
                    f"{lacking} that only the other has" if lacking > 0 else "",
                ],
            )
        )
