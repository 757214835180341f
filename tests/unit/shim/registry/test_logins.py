"""Which credentials a registry gets: those of the Docker config, and those of credential helpers."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from imagebuild_vocabulary.remedies import Remedy
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.credential_helper import CredentialHelpers
from kaniko_shim.registry.docker_config import Login, parse_docker_config
from kaniko_shim.registry.logins import Logins
from kaniko_shim.system.job import Job
from kaniko_shim.system.paths import Paths

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
GAR = "europe-docker.pkg.dev"
ACR = "team.azurecr.io"
AUTH = "dTpw"
WRITE = (
    'Write {{"auths": {{"{0}": {{"auth": "<base64 of user:password>"}}}}}}; `kubectl create secret docker-registry` '
    "makes such a config."
)

ANSWERS = """#!/bin/sh
read host
echo "$host" >> {here}/asked
printf '{{"ServerURL": "%s", "Username": "{user}", "Secret": "s3cret-of-helper"}}' "$host"
"""
FAILS = """#!/bin/sh
echo "{problem}"
exit 1
"""


class Helped:
    """Logins with the helpers of a directory."""

    def __init__(
        self, directory: Path, config: Mapping[str, Any], environment: Mapping[str, str] | None = None
    ) -> None:
        self.paths = Paths(scratch=directory / "run", program_files=directory)
        self.asked = directory / "asked"
        (directory / "credential-helpers").mkdir(exist_ok=True)
        self.job = Job(environment or {}, self.paths, Console(Masker()), LogTail(), Phases(), Warnings())
        self.logins = Logins.of(parse_docker_config(json.dumps(config)) if config else None, self.job)

    def helper(self, name: str, script: str) -> None:
        program = self.paths.credential_helpers / f"docker-credential-{name}"
        program.write_text(script)
        program.chmod(0o755)

    def answering(self, name: str, user: str = "AWS") -> None:
        self.helper(name, ANSWERS.format(here=self.asked.parent, user=user))

    def failing(self, name: str, problem: str = "credentials not found in native keychain") -> None:
        self.helper(name, FAILS.format(problem=problem))

    @property
    def installed(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads((self.paths.credentials / "config.json").read_text())

    def hint(self, registry: str, reason: Reason = Reason.REGISTRY_UNAUTHORIZED) -> str:
        return self.logins.explain(Failure(reason, "x", registry=registry)).advice


def test_a_registry_of_a_cloud_gets_its_helper_once(tmp_path: Path):
    here = Helped(tmp_path, {"auths": {"r.example": {"auth": AUTH}}})
    here.answering("ecr-login")
    here.logins.install([ECR])
    assert here.installed == {"auths": {"r.example": {"auth": AUTH}}}
    assert here.logins.login(ECR, "app") == here.logins.login(ECR, "other") == Login("AWS", "s3cret-of-helper")
    assert here.asked.read_text() == f"{ECR}\n"
    assert here.hint(ECR) == (
        "The registry did not accept the pod's identity: check that it can push to that repository."
    )
    assert here.installed == {"auths": {"r.example": {"auth": AUTH}}, "credHelpers": {ECR: "ecr-login"}}
    assert here.logins.login("r.example", "app") == Login("u", "p")
    assert here.job.console.masker.mask("a s3cret-of-helper") == "a ***"


def test_a_token_is_no_password(tmp_path: Path):
    here = Helped(tmp_path, {})
    here.answering("acr-env", "<token>")
    assert here.logins.login(ACR, "app") == Login(identity_token="s3cret-of-helper")


def test_an_entry_of_the_user_goes_first(tmp_path: Path):
    here = Helped(tmp_path, {"auths": {ECR: {"auth": AUTH}}})
    here.answering("ecr-login")
    assert here.logins.login(ECR, "app") == Login("u", "p")
    assert not here.asked.exists()
    assert here.hint(ECR) == (
        f"The registry did not accept the credentials for {ECR}: check that they are valid and can push to that "
        "repository."
    )


@pytest.mark.parametrize("config", [{"auths": {GAR: {}}, "credsStore": "desktop"}, {"credHelpers": {GAR: "elsewhere"}}])
def test_what_works_elsewhere_only_is_replaced_by_the_clouds_helper(tmp_path: Path, config: dict[str, Any]):
    here = Helped(tmp_path, config)
    here.answering("gcr", "_dcgcr")
    here.logins.install([GAR])
    assert here.logins.login(GAR, "app") == Login("_dcgcr", "s3cret-of-helper")
    assert here.installed["credHelpers"] == {GAR: "gcr"}


def test_without_an_identity_a_registry_is_asked_without_credentials(tmp_path: Path):
    here = Helped(tmp_path, {"credHelpers": {ECR: "ecr-login"}})
    here.failing("ecr-login")
    here.paths.helper_state.joinpath("log").mkdir(parents=True)
    (here.paths.helper_state / "log" / "ecr-login.log").write_text(
        'time="x" level=error msg="Error retrieving credentials" error="no EC2 \\"IMDS\\" role found"\n'
    )
    here.logins.install([ECR])
    assert here.logins.login(ECR, "app") is None
    assert here.installed == {"auths": {}}
    problem = f'docker-credential-ecr-login has no credentials for {ECR}: no EC2 "IMDS" role found'
    explained = here.logins.explain(Failure(Reason.BASE_IMAGE_UNAUTHORIZED, "Denied.", registry=ECR))
    assert explained.message == f"Denied. {problem}."
    assert explained.hint == (
        "To use the pod's identity, connect the pod's ServiceAccount to an IAM role (EKS Pod Identity or IRSA) that "
        f"may use the repository. To use a password, put it into DOCKER_CONFIG_JSON: add an entry {ECR} to its auths."
    )


def test_a_helper_that_hangs_is_asked_once(tmp_path: Path):
    here = Helped(tmp_path, {})
    here.helper("gcr", "#!/bin/sh\nexec sleep 60\n")
    logins = replace(here.logins, helpers=CredentialHelpers({}, here.paths, seconds=0.2))
    assert (logins.login(GAR, "app"), logins.login("gcr.io", "app")) == (None, None)
    texts = [
        logins.explain(Failure(Reason.REGISTRY_UNAUTHORIZED, "x", registry=each)).message for each in (GAR, "gcr.io")
    ]
    assert "it did not answer within 0.2 s" in texts[0]
    assert "it did not answer before" in texts[1]


@pytest.mark.parametrize(
    ("output", "problem"),
    [("{", "its output is not JSON"), ("{}", 'its output lacks "Username" or "Secret"')],
)
def test_a_helper_that_answers_otherwise(tmp_path: Path, output: str, problem: str):
    here = Helped(tmp_path, {})
    here.helper("gcr", f"#!/bin/sh\necho '{output}'\n")
    assert here.logins.login(GAR, "app") is None
    assert problem in here.logins.explain(Failure(Reason.REGISTRY_UNAUTHORIZED, "x", registry=GAR)).message


def test_a_helper_that_the_config_names(tmp_path: Path):
    here = Helped(tmp_path, {"credHelpers": {"r.example": "own", "docker.io": "own"}})
    here.answering("own", "me")
    here.logins.install(["r.example"])
    assert here.installed["credHelpers"] == {"r.example": "own", "https://index.docker.io/v1/": "own"}
    assert here.logins.login("index.docker.io", "library/app") == Login("me", "s3cret-of-helper")
    assert here.asked.read_text() == "https://index.docker.io/v1/\n"
    assert here.hint("index.docker.io") == (
        "The registry did not accept the credentials of a helper: check that they are valid and can push to that "
        "repository."
    )


def test_a_helper_that_the_config_names_and_that_fails_is_an_error(tmp_path: Path):
    here = Helped(tmp_path, {"credHelpers": {"r.example": "own"}})
    here.failing("own", "no such vault")
    with pytest.raises(JobError) as caught:
        here.logins.prepare("r.example")
    assert caught.value.failure == Failure(
        Reason.REGISTRY_UNAUTHORIZED,
        "docker-credential-own has no credentials for r.example: no such vault.",
        hint="The Docker config names this credential helper; correct what it needs, or remove it.",
        registry="r.example",
    )


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            {"auths": {"r.example": {}}, "credsStore": "desktop"},
            '"auths" has no password for r.example: "credsStore" ("desktop") keeps it outside of this file.',
        ),
        ({"auths": {"r.example": {"email": "x"}}}, '"auths" has an entry for r.example without a password.'),
        (
            {"credHelpers": {"r.example": "vault"}},
            '"credHelpers" names docker-credential-vault for r.example, and this image has no such program.',
        ),
    ],
)
def test_an_entry_without_a_password_is_refused_where_it_is_needed(
    tmp_path: Path, config: dict[str, Any], problem: str
):
    here = Helped(tmp_path, config)
    with pytest.raises(JobError) as caught:
        here.logins.install(["r.example"])
    assert caught.value.failure == Failure(
        Reason.INVALID_SPEC,
        problem,
        hint=WRITE.format("r.example"),
        registry="r.example",
        remedy=Remedy.DOCKER_CONFIG,
    )
    here.logins.install(["other.example"])
    warning = (
        "The Docker config has entries without a password that can be used here: r.example. Images of these registries "
        "are pulled without credentials."
    )
    assert here.job.warnings.texts == (warning,)
    assert here.installed["auths"] == config.get("auths", {})
    refused = here.logins.explain(Failure(Reason.REGISTRY_UNAUTHORIZED, "x", registry="r.example"))
    assert (refused.message, refused.hint) == (f"x {problem}", WRITE.format("r.example"))
    assert refused.remedy is Remedy.DOCKER_CONFIG


@pytest.mark.parametrize(
    ("environment", "shared"),
    [
        ({}, [ECR]),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}, []),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://x"}, []),
    ],
)
def test_an_identity_of_the_whole_pod_is_told_from_a_containers_own(
    tmp_path: Path, environment: dict[str, str], shared: list[str]
):
    here = Helped(tmp_path, {"auths": {"r.example": {"auth": AUTH}}}, environment)
    here.answering("ecr-login")
    for registry in (ECR, "r.example"):
        here.logins.prepare(registry)
    assert list(here.logins.shared()) == shared


@pytest.mark.parametrize(
    ("reason", "registry", "hint"),
    [
        (Reason.REGISTRY_UNAUTHORIZED, "r.example", "has no credentials for r.example: add an entry"),
        (
            Reason.REGISTRY_UNAUTHORIZED,
            "known.example",
            "did not accept the credentials for known.example: check that they are valid",
        ),
        (Reason.BASE_IMAGE_UNAUTHORIZED, "known.example", "pull that image"),
        (
            Reason.BASE_IMAGE_UNAUTHORIZED,
            "index.docker.io",
            "entry https://index.docker.io/v1/ to its auths. Also check",
        ),
        (Reason.BASE_IMAGE_UNAUTHORIZED, GAR, "To use the pod's identity, grant"),
        (Reason.DISK_FULL, "r.example", "more ephemeral storage"),
    ],
)
def test_a_refusal_is_explained(tmp_path: Path, reason: Reason, registry: str, hint: str):
    here = Helped(tmp_path, {"auths": {"https://known.example/v2": {"auth": AUTH}}})
    assert hint in here.hint(registry, reason)
