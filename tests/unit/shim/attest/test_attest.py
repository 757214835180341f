"""What is said of an image: statements, envelopes, signatures, and the keys that make them."""

import base64
import json
import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.attest.artifact import Artifact, Subject
from kaniko_shim.attest.attestation import Predicates, Sbom, compose
from kaniko_shim.attest.central import CentralKey
from kaniko_shim.attest.envelope import to_be_signed
from kaniko_shim.attest.keyless import Services
from kaniko_shim.attest.keys import SigningKey, load_key
from kaniko_shim.attest.provenance import CLAIMED, ProvenanceInputs, provenance
from kaniko_shim.attest.record import Record, read_record
from kaniko_shim.attest.simplesigning import held_signatures, sign, signature_tag
from kaniko_shim.oci.digests import digest_of
from kaniko_shim.oci.media_types import MANIFEST
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.result import BaseImage
from kaniko_shim.request.command_request import parse_request, secrets_of
from kaniko_shim.request.push_request import PushRequest
from kaniko_shim.request.sign_request import Kms, SignRequest
from kaniko_shim.sbom.formats import CYCLONEDX, SPDX, SbomFormat
from kaniko_shim.system.subcommand import Command
from support.cosign_key import PASSWORD, encrypted_key

DIGEST = "sha256:" + "ab" * 32
SUBJECT = Subject(DIGEST, 1234, MANIFEST)
KEY = SigningKey(ec.generate_private_key(ec.SECP256R1()))
CREATED = "2026-11-24T08:00:00Z"


def public_pem(key: SigningKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public.public.public_bytes(serialization.Encoding.PEM, form).decode()


PUBLIC = public_pem(KEY)


def pem(private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, password: str = "") -> str:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password.encode())
    form = serialization.PrivateFormat.PKCS8
    return private.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


def document(artifact: Artifact) -> dict[str, object]:
    return dict(json.loads(artifact.manifest))


@pytest.mark.parametrize(
    ("key", "password"),
    [
        (pem(ec.generate_private_key(ec.SECP256R1())), ""),
        (pem(ec.generate_private_key(ec.SECP256R1()), "secret"), "secret"),
        (pem(ed25519.Ed25519PrivateKey.generate()), ""),
        (pem(rsa.generate_private_key(65537, 2048)), ""),
        (encrypted_key()[0], PASSWORD),
    ],
)
def test_kinds_of_keys(key: str, password: str):
    loaded = load_key(key, password)
    signature = loaded.sign(b"message").content
    assert loaded.public.made(signature, b"message")
    assert not loaded.public.made(signature, b"massage")
    assert "PRIVATE" not in repr(loaded)


@pytest.mark.parametrize(
    ("key", "password", "problem"),
    [
        (encrypted_key()[0], "wrong", "the key's password is wrong"),
        (pem(KEY.private, "secret"), "", "the key is encrypted and needs a password"),
        (pem(KEY.private), "secret", "the key is not encrypted and takes no password"),
        (pem(KEY.private, "secret"), "wrong", "it is not a private key in PEM format, or the password is wrong"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "", "the key's curve is secp384r1; use P-256"),
        ("ssh-ed25519 AAAA", "", "it is not a private key in PEM format, or the password is wrong"),
        ("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n---", "", "not what cosign generate-key-pair writes"),
    ],
)  # fmt: skip
def test_keys_that_can_not_sign(key: str, password: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        load_key(key, password)


def test_scrypt_is_not_given_any_amount_of_memory():
    kdf = {"name": "scrypt", "params": {"N": 1 << 30, "r": 8, "p": 1}, "salt": ""}
    text = json.dumps({"kdf": kdf, "cipher": {"name": "nacl/secretbox", "nonce": ""}, "ciphertext": ""})
    body = base64.b64encode(text.encode()).decode()
    label = "ENCRYPTED SIGSTORE PRIVATE KEY"
    with pytest.raises(ValueError, match="not what cosign generate-key-pair writes"):
        load_key(f"-----BEGIN {label}-----\n{body}\n-----END {label}-----", "")


def test_what_is_signed_of_a_statement():
    expected = b"DSSEv1 28 application/vnd.in-toto+json 2 {}"
    assert to_be_signed(b"{}") == expected


@pytest.mark.parametrize(
    ("form", "media_type"),
    [(SPDX, "application/spdx+json"), (CYCLONEDX, "application/vnd.cyclonedx+json")],
)
def test_without_a_key_statements_are_attached_as_they_are(form: SbomFormat, media_type: str):
    predicates = Predicates(CREATED, {"a": 1}, Sbom(form, {"packages": []}))
    attached = compose("registry.example/app", SUBJECT, predicates, None)
    assert [each.kind for each in attached] == ["provenance", "sbom"]
    first, second = (document(each.artifact) for each in attached)
    assert first == {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.in-toto+json",
        "config": {"mediaType": "application/vnd.in-toto+json", "digest": digest_of(b"{}"), "size": 2},
        "layers": first["layers"],
        "subject": {"mediaType": MANIFEST, "digest": DIGEST, "size": 1234},
        "annotations": {
            "org.opencontainers.image.created": CREATED,
            "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1",
        },
    }
    assert second["artifactType"] == media_type
    assert json.loads(attached[1].artifact.blobs[1]) == {"packages": []}


def test_with_a_key_alone_the_image_is_signed():
    (signature,) = compose("registry.example/app", SUBJECT, Predicates(CREATED), KEY)
    bundle = json.loads(signature.artifact.blobs[1])
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    assert KEY.public.made(base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"]), to_be_signed(payload))
    assert json.loads(payload)["predicateType"] == "https://sigstore.dev/cosign/sign/v1"
    assert json.loads(payload)["subject"][0]["digest"] == {"sha256": "ab" * 32}


def test_signatures_of_others_stay():
    first = sign("registry.example/app", DIGEST, KEY)
    assert first
    held = held_signatures(first.manifest)
    assert len(held) == 1
    assert sign("registry.example/app", DIGEST, KEY, held) is None
    other = sign("registry.example/app", DIGEST, SigningKey(ed25519.Ed25519PrivateKey.generate()), held)
    assert other
    assert held_signatures(other.manifest)[0] == held[0]
    assert len(held_signatures(other.manifest)) == 2
    assert signature_tag(DIGEST) == "sha256-" + "ab" * 32 + ".sig"


KEYLESS = {
    "SIGNING_FULCIO_URL": "https://fulcio.example.com/",
    "SIGNING_REKOR_URL": "http://rekor.sigstore.svc:3000",
    "SIGNING_TIMESTAMP_URL": "https://tsa.example.com/api",
    "SIGNING_TOKEN_FILE": "/token",
}


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b'{"layers": 1}', b'{"layers": [1, {"mediaType": "other"}]}'])
def test_what_is_no_list_of_signatures(manifest: bytes):
    assert held_signatures(manifest) == []


def test_the_signer_of_a_cluster_is_asked_where_its_url_is_set():
    asked = {"OUTPUT_IMAGE": "r.example/app", "SIGNING_URL": "https://signer.system.svc:8443"}
    request = parse_request(Command.PUSH, {**asked, "SIGNING_PUBLIC_KEY": PUBLIC})
    assert isinstance(request, PushRequest)
    assert isinstance(request.attestations.key, CentralKey)
    # The default is where the operator mounts the token.
    assert request.attestations.key.token_file == "/var/run/secrets/imagebuild-signer/token"
    assert (request.attestations.key.url, request.attestations.key.public) == (asked["SIGNING_URL"], KEY.public)


def test_sigstores_services_are_asked_where_their_urls_are_set():
    request = parse_request(Command.PUSH, {"OUTPUT_IMAGE": "r.example/app", **KEYLESS})
    assert isinstance(request, PushRequest)
    assert request.attestations.keyless == Services(
        "https://fulcio.example.com", "http://rekor.sigstore.svc:3000", "https://tsa.example.com/api", "/token"
    )
    assert request.attestations.key is None
    assert not request.attestations.are_none


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"SIGNING_REKOR_URL": ""}, "SIGNING_REKOR_URL: set it"),
        ({"SIGNING_FULCIO_URL": "", "SIGNING_TIMESTAMP_URL": ""}, "SIGNING_FULCIO_URL: set it"),
        ({"SIGNING_FULCIO_URL": "http://fulcio.example.com"}, "'http://fulcio.example.com': write https://HOST"),
        ({"SIGNING_REKOR_URL": "https://a@b"}, "write https://HOST"),
        ({"SIGNING_KEY": "x"}, "unset it, or SIGNING_KEY: one of them signs"),
        ({"SIGNING_URL": "https://signer:8443"}, "unset it, or SIGNING_URL: one of them signs"),
    ],
)
def test_urls_of_services_that_cannot_work_are_named(changed: dict[str, str], problem: str):
    with pytest.raises(JobError, match=re.escape(problem)):
        parse_request(Command.PUSH, {"OUTPUT_IMAGE": "r.example/app", **KEYLESS, **changed})


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({}, "SIGNING_PUBLIC_KEY: it is not a public key"),
        (
            {"SIGNING_PUBLIC_KEY": pem(ec.generate_private_key(ec.SECP256R1()))},
            "SIGNING_PUBLIC_KEY: it is not a public",
        ),
        ({"SIGNING_URL": "http://signer:8443"}, "write https://HOST:PORT"),
        ({"SIGNING_KEY": "x"}, "unset it, or SIGNING_KEY: one of them signs"),
    ],
)
def test_variables_of_the_signer_that_cannot_work_are_named(wrong: dict[str, str], problem: str):
    asked = {"OUTPUT_IMAGE": "r.example/app", "SIGNING_URL": "https://signer.system.svc:8443"}
    with pytest.raises(JobError, match=re.escape(problem)) as caught:
        parse_request(Command.PUSH, {**asked, **wrong})
    assert "PRIVATE" not in str(caught.value)


def test_the_signer_needs_a_key_and_never_prints_it():
    with pytest.raises(JobError, match="SIGNING_KEY: set it to the private key that signs"):
        parse_request(Command.SIGN, {})
    private = pem(ec.generate_private_key(ec.SECP256R1()))
    assert private in secrets_of(parse_request(Command.SIGN, {"SIGNING_KEY": private}))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"SIGNING_KMS": "file:///key"}, "SIGNING_KMS='file:///key': write awskms://"),
        ({"SIGNING_PUBLIC_KEY": ""}, "SIGNING_PUBLIC_KEY: it is not a public key"),
        (
            {"SIGNING_PUBLIC_KEY": public_pem(SigningKey(ec.generate_private_key(ec.SECP384R1())))},
            "SIGNING_PUBLIC_KEY: the key's curve is secp384r1; use P-256",
        ),
        ({"SIGNING_KEY": "x"}, "SIGNING_KMS='hashivault://images': unset it, or SIGNING_KEY: one of them signs"),
    ],
)
def test_a_kms_signs_alone_and_with_a_known_key(wrong: dict[str, str], problem: str):
    right = {"SIGNING_KMS": "hashivault://images", "SIGNING_PUBLIC_KEY": PUBLIC}
    request = parse_request(Command.SIGN, right)
    assert isinstance(request, SignRequest)
    assert isinstance(request.key, Kms)
    assert request.key.uri == "hashivault://images"
    with pytest.raises(JobError, match=re.escape(problem)):
        parse_request(Command.SIGN, {**right, **wrong})


def test_provenance():
    record = Record(
        {"source": "x"},
        {"url": "https://git.example/r", "revision": "c0ffee"},
        "ab",
        CREATED,
        CREATED,
        (BaseImage("docker.io/library/busybox:1", DIGEST),),
    )
    known = ProvenanceInputs(f"builder@{DIGEST}", "uid-1", {"asked": True})
    assert provenance(record, known, {"kaniko-shim": "1"}) == {
        "buildDefinition": {
            "buildType": "https://imagebuild.dev/build/v1",
            "externalParameters": {"asked": True},
            "internalParameters": {},
            "resolvedDependencies": [
                {
                    "name": "context",
                    "uri": "https://git.example/r",
                    "digest": {"gitCommit": "c0ffee"},
                    "annotations": CLAIMED,
                },
                {"name": "Dockerfile", "digest": {"sha256": "ab"}, "annotations": CLAIMED},
                {
                    "name": "base image",
                    "uri": f"docker.io/library/busybox:1@{DIGEST}",
                    "digest": {"sha256": "ab" * 32},
                    "annotations": CLAIMED,
                },
            ],
        },
        "runDetails": {
            "builder": {
                "id": "https://imagebuild.dev/builder",
                "version": {"kaniko-shim": "1"},
                "builderDependencies": [{"uri": f"builder@{DIGEST}", "digest": {"sha256": "ab" * 32}}],
            },
            "metadata": {"invocationId": "uid-1", "startedOn": CREATED, "finishedOn": CREATED},
        },
    }


def test_a_record_comes_back_as_it_was():
    record = Record({"a": [1]}, {"url": "u"}, "d", "s", "f")
    assert read_record(record.document()) == record


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["parameters", "source", "dockerfile", "started", "finished", "x"]), json_values)
)
def test_any_record_is_read(text: dict[str, object]):
    """A RUN step may have written it."""
    record = read_record(text)
    assert all(isinstance(value, str) for value in record.source.values())
    assert isinstance(record.dockerfile, str)
    provenance(record, ProvenanceInputs(), {})


def test_the_request_of_a_push():
    private, _ = encrypted_key()
    request = parse_request(
        Command.PUSH,
        {
            "OUTPUT_IMAGE": "registry.example/app:1",
            "SBOM": "true",
            "SIGNING_KEY": private,
            "SIGNING_KEY_PASSWORD": PASSWORD,
            "PROVENANCE_PARAMETERS": '{"a": 1}',
        },
    )
    assert isinstance(request, PushRequest)
    assert (request.attestations.sbom, request.attestations.provenance) == (SPDX, False)
    assert request.attestations.inputs.parameters == {"a": 1}
    assert set(secrets_of(request)) == {private, PASSWORD}
    assert PASSWORD not in repr(request)


@pytest.mark.parametrize(
    ("written", "form"), [("true", SPDX), ("SPDX", SPDX), ("CycloneDX", CYCLONEDX), ("false", None), ("", None)]
)
def test_formats_of_an_sbom(written: str, form: SbomFormat | None):
    request = parse_request(Command.PUSH, {"OUTPUT_IMAGE": "registry.example/app:1", "SBOM": written})
    assert isinstance(request, PushRequest)
    assert request.attestations.sbom is form


@pytest.mark.parametrize(
    ("command", "variables", "problem"),
    [
        (Command.PUSH, {"SIGNING_KEY_PASSWORD": "x"}, "SIGNING_KEY_PASSWORD: set SIGNING_KEY, which it belongs to"),
        (Command.PUSH, {"SIGNING_KEY": "nonsense"}, "SIGNING_KEY: it is not a private key in PEM format"),
        (Command.PUSH, {"PROVENANCE_PARAMETERS": "[]"}, "write a JSON object"),
        (Command.PUSH, {"SBOM": "swid"}, "SBOM='swid': write SPDX or CycloneDX, true or false"),
        (Command.ALL, {"SBOM": "true"}, "only kaniko-shim push reads it"),
        (Command.ALL, {"SIGNING_KEY": "x"}, "SIGNING_KEY: only kaniko-shim push reads it"),
    ],
)
def test_requests_that_are_refused(command: Command, variables: dict[str, str], problem: str):
    with pytest.raises(JobError, match=problem):
        parse_request(command, {"OUTPUT_IMAGE": "registry.example/app:1", **variables})
