"""Signatures by cosign: in a release with the identity of the workflow, in a rehearsal with a key."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from release.programs import program, run
from release.tree import REPOSITORY

ISSUER = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and verifies images and charts in a registry.

    Attributes:
        version: of the release, whose tag is a part of the workflow's identity.
        key: a private key of cosign; its public key is in the same folder. None: no key, as in GitHub Actions.
        plain_http: whether the registry speaks HTTP.
    """

    version: str
    key: Path | None = None
    plain_http: bool = False

    @property
    def identity(self) -> str:
        """Whom a signature without a key names."""
        return f"{REPOSITORY}/.github/workflows/release.yaml@refs/tags/v{self.version}"

    def sign(self, reference: str) -> None:
        """Sign what a digest names, and each platform's image below it.

        Raises:
            ReleaseError: cosign fails.
        """
        self._cosign("sign", "--yes", "--recursive", *self._signing_key(), reference)

    def verify(self, reference: str) -> None:
        """Check a signature as the page docs/how-to/verify-releases.md tells users to.

        Raises:
            ReleaseError: there is none, or it is another's.
        """
        self._cosign("verify", *self._expected(), reference)

    def _signing_key(self) -> Sequence[str]:
        # A key signs without the public log, which a rehearsal has no business in.
        if self.key is None:
            return ()
        return (f"--key={self.key}", "--tlog-upload=false", "--use-signing-config=false")

    def _expected(self) -> Sequence[str]:
        if self.key is None:
            return (f"--certificate-identity={self.identity}", f"--certificate-oidc-issuer={ISSUER}")
        return (f"--key={self.key.with_suffix('.pub')}", "--insecure-ignore-tlog=true")

    def _cosign(self, command: str, *arguments: str) -> None:
        options = ["--allow-http-registry"] if self.plain_http else []
        run(program("cosign"), command, *options, *arguments)
