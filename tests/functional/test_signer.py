"""The cluster's signer against a real API server, asked by the pods that the operator has made, and by others."""

import base64
import contextlib
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml
from cluster.artefacts import artefact
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from functional.kube import Builds, Helm, spec
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess
from functional.test_rights import Accounts, lines
from imagebuild_vocabulary.names import SIGNER_AUDIENCE
from kaniko_shim.attest import persistence
from kaniko_shim.attest.artifact import dump
from kaniko_shim.attest.central import CentralKey
from kaniko_shim.attest.envelope import to_be_signed
from kaniko_shim.attest.keys import Key, SigningKey, load_public_key
from kaniko_shim.attest.provenance import ProvenanceInputs, provenance
from kaniko_shim.attest.record import Record
from kaniko_shim.attest.simplesigning import payload_of
from kaniko_shim.attest.statement import PROVENANCE, statement
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.request.request import read_outputs
from kaniko_shim.request.variables import attestation_variables
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.signer import kms
from kaniko_shim.signer.cluster import Cluster
from kaniko_shim.signer.kms import KmsKey
from kaniko_shim.signer.service import Signer, SignerServer
from kubernetes import client
from support.cosign_key import is_signed
from support.vault import Vault, serve_vault
from support.waiting import until
from support.watching import phase, wait_for_build

DIGEST = "sha256:" + "ab" * 32
REPOSITORY = "registry.example.com/team/app"
KEY = SigningKey(ec.generate_private_key(ec.SECP256R1()))
PEM = KEY.public.public.public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
).decode()
SIGNED = {"output": {"images": [f"{REPOSITORY}:1"], "signing": {"cluster": {}}}}

with_signer = pytest.mark.parametrize(
    "settings", [{"signer": {"url": "https://signer.example.svc:8443", "publicKey": PEM}}]
)
#: Asks the signer to sign a message in the name of a pod.
Ask = Callable[..., bytes]


@pytest.fixture
def said() -> list[str]:
    """The log of the signer."""
    return []


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """A KMS."""
    with serve_vault(tmp_path) as served:
        yield served


@pytest.fixture
def kms_key(vault: Vault, tmp_path: Path) -> Callable[[str, str], KmsKey]:
    """A key of it by its name and a public key, with which cosign signs as in the signer's pod."""
    program = tmp_path / "image" / kms.PROGRAM
    program.parent.mkdir(parents=True)
    program.symlink_to(artefact("cosign"))
    # Nothing but the KMS is asked: a proxy that nobody listens at would fail what else is.
    environment = vault.environment | {"HTTPS_PROXY": "http://127.0.0.1:1"}

    def made(name: str, public: str) -> KmsKey:
        return KmsKey.of(f"hashivault://{name}", load_public_key(public), tmp_path / "image", tmp_path, environment)

    return made


@pytest.fixture
def of_kms(vault: Vault, kms_key: Callable[[str, str], KmsKey]) -> KmsKey:
    """One of its keys."""
    return kms_key("images", vault.make_key("images"))


@pytest.fixture
def key(request: pytest.FixtureRequest) -> Key:
    """That of the signer; a parameter names the fixture of another."""
    return request.getfixturevalue(request.param) if hasattr(request, "param") else KEY


@pytest.fixture
def signer(
    kubeconfig: Path, namespace: str, api: client.ApiClient, tmp_path: Path, said: list[str], key: Key
) -> Iterator[str]:
    """The signer, with the rights of the chart; its URL."""
    core, rbac = client.CoreV1Api(api), client.RbacAuthorizationV1Api(api)
    called = f"signer-{namespace}"
    name = client.V1ObjectMeta(name=called)
    rules = [
        client.V1PolicyRule(api_groups=["authentication.k8s.io"], resources=["tokenreviews"], verbs=["create"]),
        client.V1PolicyRule(api_groups=["imagebuild.dev"], resources=["imagebuilds"], verbs=["get"]),
        client.V1PolicyRule(api_groups=[""], resources=["pods"], verbs=["get"]),
    ]
    core.create_namespaced_service_account(namespace, client.V1ServiceAccount(metadata=name))
    rbac.create_cluster_role(client.V1ClusterRole(metadata=name, rules=rules))
    role = client.V1RoleRef(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=called)
    subject = client.RbacV1Subject(kind="ServiceAccount", name=called, namespace=namespace)
    rbac.create_cluster_role_binding(client.V1ClusterRoleBinding(metadata=name, role_ref=role, subjects=[subject]))
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[]))
    made: Any = core.create_namespaced_service_account_token(called, namespace, request)
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text(made.status.token)
    of_cluster = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
    (account / "ca.crt").write_bytes(
        base64.b64decode(of_cluster["certificate-authority-data"])
        if "certificate-authority-data" in of_cluster
        else Path(of_cluster["certificate-authority"]).read_bytes()
    )
    url = urllib3.util.parse_url(of_cluster["server"])
    environment = {"KUBERNETES_SERVICE_HOST": url.host or "", "KUBERNETES_SERVICE_PORT": str(url.port)}
    with contextlib.chdir(tmp_path):
        cluster = Cluster.of(environment, account)
        server = SignerServer(Signer(key, cluster, said.append), ("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()
    cluster.pool.close()
    rbac.delete_cluster_role_binding(called)
    rbac.delete_cluster_role(called)


@pytest.fixture
def ask(
    signer: str, api: client.ApiClient, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: Key
) -> Ask:
    """Asks it as the push container of a pod does, with a token as the kubelet gets it."""
    monkeypatch.setattr(persistence, "_PAUSES", (0.05,))
    public = key.public
    assert public

    def sign(pod: dict[str, Any], message: bytes, audience: str = SIGNER_AUDIENCE) -> bytes:
        path = tmp_path / "token"
        path.write_text(token_of(api, namespace, pod, audience))
        return CentralKey(signer, public, str(path)).sign(message).content

    return sign


def token_of(api: client.ApiClient, namespace: str, pod: dict[str, Any], audience: str) -> str:
    bound = client.V1BoundObjectReference(
        api_version="v1", kind="Pod", name=pod["metadata"]["name"], uid=pod["metadata"]["uid"]
    )
    wanted = client.V1TokenRequestSpec(audiences=[audience], bound_object_ref=bound)
    request = client.AuthenticationV1TokenRequest(spec=wanted)
    made: Any = client.CoreV1Api(api).create_namespaced_service_account_token("default", namespace, request)
    return str(made.status.token)


def variables_of(pod: dict[str, Any]) -> VariableReader:
    """What the container that pushes reads."""
    env = pod["spec"]["containers"][0]["env"]
    return VariableReader({each["name"]: each["value"].replace("$$", "$") for each in env if "value" in each})


def provenance_of(pod: dict[str, Any], digest: str = DIGEST) -> bytes:
    """The message that the pod's push container has signed."""
    reader = variables_of(pod)
    inputs = ProvenanceInputs(
        reader.read(attestation_variables.PROVENANCE_BUILDER),
        reader.read(attestation_variables.PROVENANCE_INVOCATION),
        reader.read(attestation_variables.PROVENANCE_PARAMETERS),
    )
    inline = sha256(spec()["source"]["inline"]["files"]["Dockerfile"].encode()).hexdigest()
    made = provenance(Record(dockerfile=inline), inputs, {"kaniko-shim": "1"})
    return to_be_signed(dump(statement(REPOSITORY, digest, PROVENANCE, made)))


@with_signer
def test_the_pod_of_a_build_has_its_image_signed(
    operator: OperatorProcess,
    builds: Builds,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
    ask: Ask,
    said: list[str],
):
    assert operator.is_running()
    builds.create(spec(**SIGNED))
    pod = kubelet.pod()
    wait_for_build(api, namespace, "hello", lambda build: build.get("status", {}).get("podUID"))
    reader = variables_of(pod)
    assert [f"{each.registry}/{each.repository}" for each in read_outputs(reader)] == [REPOSITORY]
    parameters = reader.read(attestation_variables.PROVENANCE_PARAMETERS)
    assert parameters is not None
    assert parameters["metadata"] == {"namespace": namespace, "name": "hello"}
    message = payload_of(REPOSITORY, DIGEST)
    assert KEY.public.made(ask(pod, message), message)
    own = provenance_of(pod)
    assert KEY.public.made(ask(pod, own), own)
    assert said == [
        f"signed the {what} of {REPOSITORY}@{DIGEST} for {namespace}/hello" for what in ("signature", "provenance")
    ]


@with_signer
@pytest.mark.shows("A63")
def test_nobody_else_gets_a_signature(
    operator: OperatorProcess,
    builds: Builds,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
    ask: Ask,
    said: list[str],
):
    assert operator.is_running()
    builds.create(spec(**SIGNED))
    pod = kubelet.pod()
    wait_for_build(api, namespace, "hello", lambda build: build.get("status", {}).get("podUID"))
    message = payload_of(REPOSITORY, DIGEST)
    # A pod of a tenant, which looks like the operator's in all that a tenant can write.
    forged = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {key: pod["metadata"][key] for key in ("labels", "ownerReferences")} | {"name": "forged"},
        "spec": {key: pod["spec"][key] for key in ("containers", "volumes", "serviceAccountName")},
    }
    raw: Any = client.CoreV1Api(api)
    made = api.sanitize_for_serialization(raw.create_namespaced_pod(namespace, forged))
    with pytest.raises(JobError, match=r"the status of test-\w+/hello does not name pod forged") as caught:
        ask(made, message)
    assert caught.value.failure.reason is Reason.SIGNING_FAILED
    # The pod itself, for an image of somebody else, and with parameters of its own.
    with pytest.raises(JobError, match=r"has no image in registry\.example\.com/team/other"):
        ask(pod, payload_of("registry.example.com/team/other", DIGEST))
    with pytest.raises(JobError, match="the provenance is not that of"):
        ask(pod, provenance_of(pod).replace(b'"name":"hello"', b'"name":"olleh"'))
    # And the pod with another program in the place of push: the image of a container can be changed.
    own = {"spec": {"containers": [{"name": "push", "image": "registry.example.com/team/evil:1"}]}}
    raw.patch_namespaced_pod(pod["metadata"]["name"], namespace, own)
    with pytest.raises(JobError, match=r"the image of a container of pod hello-[0-9a-f]{8} was changed"):
        ask(pod, message)
    assert not [line for line in said if line.startswith("signed")]
    kubelet.remove({"metadata": {"name": "forged"}})


@with_signer
@pytest.mark.shows("A63")
def test_a_token_for_somebody_else_is_worth_nothing(
    operator: OperatorProcess,
    builds: Builds,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
    ask: Ask,
    said: list[str],
):
    assert operator.is_running()
    builds.create(spec(**SIGNED))
    pod = kubelet.pod()
    wait_for_build(api, namespace, "hello", lambda build: build.get("status", {}).get("podUID"))
    with pytest.raises(JobError, match="answered 401: the token is not valid for the audience imagebuild-signer"):
        ask(pod, payload_of(REPOSITORY, DIGEST), "https://another.example")
    assert said == []


@pytest.mark.shows("A63")
def test_the_token_is_sent_to_the_signer_only(signer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(persistence, "_PAUSES", (0.05,))
    requests: list[str] = []
    sent = HTTPSConnection.putrequest

    def request(self: HTTPSConnection, method: str, url: str, **options: bool) -> None:
        requests.append(f"{method} {url}")
        sent(self, method, url, **options)

    monkeypatch.setattr(HTTPSConnection, "putrequest", request)
    other = SigningKey(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(JobError, match=f"{signer} is not the signer"):
        CentralKey(signer, other.public, str(tmp_path / "token")).sign(b"message")
    assert requests == ["GET /identity"]


def test_a_signer_that_cannot_be_reached_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(persistence, "_PAUSES", (0.05, 0.05))
    with pytest.raises(JobError, match=r"https://127.0.0.1:1 can't be reached \(ConnectionRefusedError") as caught:
        CentralKey("https://127.0.0.1:1", KEY.public, str(tmp_path / "token")).sign(b"message")
    assert caught.value.failure.reason is Reason.SIGNING_FAILED


def test_without_a_signer_the_build_says_so(
    operator: OperatorProcess, builds: Builds, api: client.ApiClient, namespace: str
):
    assert operator.is_running()
    builds.create(spec(**SIGNED))
    body = wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Failed")
    assert body["status"]["reason"] == "InvalidSpec"
    assert "spec.output.signing.cluster: this cluster has no signer" in body["status"]["message"]


def test_one_key_signs_and_not_two(builds: Builds):
    both = {"cluster": {}, "key": {"secretRef": {"name": "cosign"}}}
    refused = builds.refusal(spec(output={"images": [f"{REPOSITORY}:1"], "signing": both}))
    assert "say what signs" in refused


@pytest.mark.parametrize(
    "url",
    [
        "http://fulcio.example.com",
        "ftp://fulcio",
        "https://user:password@fulcio",
        "https://",
        "http://svc",
        "https://f?a=b",
    ],
)
def test_no_token_goes_in_the_clear_out_of_the_cluster(builds: Builds, url: str):
    services = {
        "fulcioURL": url,
        "rekorURL": "https://rekor.example.com",
        "timestampURL": "http://tsa.sigstore.svc/api",
    }
    refused = builds.refusal(spec(output={"images": [f"{REPOSITORY}:1"], "signing": {"keyless": services}}))
    assert "spec.output.signing.keyless.fulcioURL: Forbidden" in refused
    assert "write https://HOST, or http:// of a Service" in refused
    assert refused.count("write https://HOST") == 1


@pytest.mark.shows("A63")
def test_the_charts_signer_has_few_rights_and_only_kubelets_get_tokens_for_it(
    helm: Helm, kubeconfig: Path, api: client.ApiClient, namespace: str, tmp_path: Path
):
    public = tmp_path / "cosign.pub"
    public.write_text(PEM)
    helm(
        "install", "--set=crds.enabled=false", "--set=signer.enabled=true", "--set=signer.key.secretName=cosign",
        f"--set-file=signer.publicKey={public}",
    )  # fmt: skip
    accounts = Accounts(kubeconfig)
    everybodys = accounts.rules(f"system:serviceaccount:{namespace}:nobody", "default")
    its = accounts.rules(f"system:serviceaccount:{namespace}:{namespace}-imagebuild-operator-signer", "default")
    assert sorted(lines([rule for rule in its if rule not in everybodys], namespace)) == [
        "authentication.k8s.io tokenreviews: create",
        "core pods: get",
        "imagebuild.dev imagebuilds: get",
    ]
    core = client.CoreV1Api(api)
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    core.create_namespaced_service_account(namespace, account)

    def refusal() -> str:
        wanted = client.V1TokenRequestSpec(audiences=[SIGNER_AUDIENCE])
        try:
            core.create_namespaced_service_account_token(
                "default", namespace, client.AuthenticationV1TokenRequest(spec=wanted)
            )
        except client.ApiException as error:
            return str(error.body)
        return ""

    # A policy counts a moment after it is created.
    assert "only kubelets can ask for one" in until(refusal)


@pytest.mark.parametrize("kind", ["ecdsa-p256", "rsa-2048"])
@pytest.mark.shows("A69")
def test_a_key_of_a_kms_signs_what_the_public_key_verifies(
    vault: Vault, kms_key: Callable[[str, str], KmsKey], tmp_path: Path, kind: str
):
    public = vault.make_key("images", kind)
    (tmp_path / "key.pub").write_text(public)
    key = kms_key("images", public)
    # A restart of the signer finds the program of the one before.
    assert kms_key("images", public) == key
    signature = key.sign(b"a statement")
    assert is_signed(b"a statement", signature.content, tmp_path)
    assert signature.material == load_public_key(public).material
    assert vault.token not in repr(key)
    assert sorted(path.name for path in tmp_path.glob("tmp*")) == []


@pytest.mark.shows("A69")
def test_what_a_kms_does_not_sign_with_the_key_is_no_signature(
    vault: Vault, kms_key: Callable[[str, str], KmsKey], tmp_path: Path
):
    public, other = vault.make_key("images"), vault.make_key("other")
    with pytest.raises(JobError, match="hashivault://other signs otherwise than SIGNING_PUBLIC_KEY verifies") as wrong:
        kms_key("other", public).sign(b"a statement")
    with pytest.raises(JobError, match="hashivault://missing does not sign: ") as missing:
        kms_key("missing", other).sign(b"a statement")
    key = kms_key("images", public)
    vault.process.terminate()
    vault.process.wait()
    with pytest.raises(JobError, match=r"hashivault://images (does|did) not sign") as down:
        key.sign(b"a statement")
    for error in (wrong, missing, down):
        assert error.value.failure.reason is Reason.SIGNING_FAILED
        assert vault.token not in str(error.value)
    with pytest.raises(JobError, match="cosign can't be started: "):
        KmsKey.of("hashivault://images", load_public_key(public), tmp_path / "nothing", tmp_path, {})


@with_signer
@pytest.mark.parametrize("key", ["of_kms"], indirect=True)
@pytest.mark.shows("A69")
@pytest.mark.usefixtures("operator")
def test_a_pod_learns_nothing_of_the_kms(
    builds: Builds,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
    key: KmsKey,
    vault: Vault,
    ask: Ask,
    said: list[str],
):
    builds.create(spec(**SIGNED))
    pod = kubelet.pod()
    wait_for_build(api, namespace, "hello", lambda build: build.get("status", {}).get("podUID"))
    message = payload_of(REPOSITORY, DIGEST)
    assert key.public.made(ask(pod, message), message)
    vault.process.terminate()
    vault.process.wait()
    with pytest.raises(JobError, match="answered 503: the signer's KMS did not sign; its log says why") as caught:
        ask(pod, message)
    assert "vault" not in str(caught.value)
    assert said[-1].startswith(f"could not sign the signature of {REPOSITORY}@{DIGEST} for {namespace}/hello: ")
    assert "hashivault://images" in said[-1]
