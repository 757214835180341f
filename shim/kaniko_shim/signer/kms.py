"""A key of a KMS, with which cosign signs: it speaks to those of AWS, Azure, Google Cloud, and Vault."""

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kaniko_shim.attest.keys import PublicKey, Signature
from kaniko_shim.attest.persistence import signing_failed
from kaniko_shim.system.image_volume import take_program
from kaniko_shim.system.json_text import load_json

#: In cosign's image (https://github.com/sigstore/cosign/blob/main/.ko.yaml).
PROGRAM: Final = "ko-app/cosign"
#: No log, no authority, nobody to trust: without them, cosign asks the public Sigstore which there are.
_NOBODY: Final = {
    "signing-config": {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "rekorTlogConfig": {},
        "tsaConfig": {},
    },
    "trusted-root": {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"},
}
_SECONDS: Final = 20
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class KmsKey:
    """Signs with a key that never leaves a KMS.

    Attributes:
        uri: the key, as cosign names it.
        public: verifies every signature.
        program: cosign.
        environment: by which cosign finds the KMS and its credentials.
    """

    uri: str
    public: PublicKey
    program: Path
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, uri: str, public: PublicKey, image: Path, scratch: Path, environment: Mapping[str, str]) -> "KmsKey":
        """A key with which the cosign of a mounted image signs.

        Args:
            uri: the key, as cosign names it.
            public: its public key.
            image: cosign's image, mounted.
            scratch: a directory for the program and its files.
            environment: of this process.

        Raises:
            JobError: SigningFailed; the image is not there.
        """
        try:
            program = take_program(image / PROGRAM, scratch)
        except OSError as error:
            raise signing_failed(f"cosign can't be started: {error}") from error
        return cls(uri, public, program, {**environment, "HOME": str(scratch)})

    def sign(self, message: bytes) -> Signature:
        """The signature of a message.

        Raises:
            JobError: SigningFailed; the KMS does not sign, or with another key.
        """
        with tempfile.TemporaryDirectory(dir=self.program.parent) as directory:
            signature = self._signature(message, Path(directory))
        if not self.public.made(signature, message):
            raise signing_failed(f"{self.uri} signs otherwise than SIGNING_PUBLIC_KEY verifies")
        return Signature(signature, self.public.material)

    def _signature(self, message: bytes, directory: Path) -> bytes:
        given, bundle = directory / "message", directory / "bundle"
        given.write_bytes(message)
        command = [str(self.program), "sign-blob", f"--key={self.uri}", "--yes", f"--bundle={bundle}"]
        for name, document in _NOBODY.items():
            (directory / name).write_text(json.dumps(document), encoding="utf-8")
            command.append(f"--{name}={directory / name}")
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, without a shell
                [*command, str(given)], env=self.environment, capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise signing_failed(f"{self.uri} did not sign within {_SECONDS} s") from error
        except OSError as error:
            raise signing_failed(f"cosign can't be started: {os.strerror(error.errno or 0)}") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
            raise signing_failed(f"{self.uri} does not sign: {said[-1][:_LONGEST]}")
        try:
            return base64.b64decode(load_json(bundle.read_bytes())["messageSignature"]["signature"], validate=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise signing_failed(f"cosign's answer for {self.uri} is no bundle with a signature: {error}") from error
