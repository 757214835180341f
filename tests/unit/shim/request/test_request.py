import json
import re
from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.oci.platform import Member, Platform
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.cache_repo import CachePolicy
from kaniko_shim.registry.docker_config import DockerConfig
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registries import Registries, RegistryMap
from kaniko_shim.request.build_args import BuildArg
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.command_request import parse_request, secrets_of
from kaniko_shim.request.push_request import IndexRequest, PushRequest
from kaniko_shim.request.variables.table import TABLE
from kaniko_shim.sources.buckets.bucket_access import BucketAccess
from kaniko_shim.sources.kinds import FileSource, HttpSource
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.system.subcommand import Command
from support.authorities import ONE, TWO

APP = ImageReference("r.example", "app", "latest")
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----"
GOOGLE_KEY = json.dumps({"type": "service_account", "private_key": "s3cret key\n", "client_email": "a@b"})
AZURE = "https://account.blob.core.windows.net/container/x.tgz"
MAX_BYTES, MAX_ENTRIES = 10737418240, 1000000


def problems(command: Command, environment: dict[str, str]) -> str:
    with pytest.raises(JobError) as caught:
        parse_request(command, environment)
    assert caught.value.failure.reason is Reason.INVALID_SPEC
    assert caught.value.failure.code == 2
    return caught.value.failure.message


DEFAULTS = BuildRequest(
    command=Command.ALL,
    outputs=(APP,),
    push=True,
    layout="",
    registries=Registries(),
    docker_config=None,
    heartbeat_seconds=30,
    source=SourceRequest(
        FileSource("/tmp/context.tar.gz"), dockerfile="Dockerfile", max_bytes=MAX_BYTES, max_entries=MAX_ENTRIES
    ),
    dockerfile_path="Dockerfile",
    dockerfile_content="",
    build_args=(),
    secret_build_args=(),
    target="",
    cache=None,
)


def test_only_the_output_is_required():
    assert parse_request(Command.ALL, {"OUTPUT_IMAGE": "r.example/app"}) == DEFAULTS


def test_an_empty_variable_is_an_unset_one():
    empty = {variable.name: " \n" for variable in TABLE} | {"DOCKER_CONFIG_JSON_1": "", "UNKNOWN": "x"}
    assert parse_request(Command.ALL, {**empty, "OUTPUT_IMAGE": "r.example/app"}) == DEFAULTS


def test_everything_at_once():
    auth = b64encode(b"u:p").decode()
    request = parse_request(
        Command.BUILD,
        {
            "DOCKERFILE_PATH": "docker/Dockerfile",
            "BUILD_ARG": "QT0x",
            "BUILD_ARG_FROM": "TOKEN=SECRET",
            "SECRET": "s3cret",
            "TARGET": "final",
            "OUTPUT_IMAGE": "r.example/app, r.example/app:2",
            "OUTPUT_LAYOUT": "/kaniko/out",
            "CACHE_REPO": "r.example/cache",
            "CACHE_TTL": "2h",
            "CACHE_READ_ONLY": "true",
            "SOURCE_GET_URL": "https://h.example/x?sig=abc",
            "SOURCE_SHA256": "ab" * 32,
            "SOURCE_USERNAME": "me",
            "SOURCE_PASSWORD": "pass",
            "SOURCE_MAX_BYTES": "10",
            "SOURCE_MAX_ENTRIES": "20",
            "SOURCE_TIMEOUT": "2m",
            "CONTEXT_SUB_PATH": "sub/dir",
            "DOCKER_CONFIG_JSON": json.dumps({"auths": {"a.example": {"auth": auth}}}),
            "DOCKER_CONFIG_JSON_2": json.dumps(
                {"auths": {"a.example": {"password": "2"}, "b.example": {"password": "2"}}}
            ),
            "DOCKER_CONFIG_JSON_10": json.dumps({"auths": {"b.example": {"password": "10"}}}),
            "REGISTRY_CA": ONE,
            "REGISTRY_CA_1": f"# two\n{TWO}",
            "INSECURE_REGISTRIES": "i.example",
            "SKIP_TLS_VERIFY_REGISTRIES": "s.example",
            "REGISTRY_MIRRORS": "m.example",
            "REGISTRY_MAP": "gcr.io=g.example/x",
            "SKIP_DEFAULT_REGISTRY_FALLBACK": "true",
            "HEARTBEAT_SECONDS": "5",
        },
    )
    assert request == BuildRequest(
        command=Command.BUILD,
        outputs=(APP, ImageReference("r.example", "app", "2")),
        push=False,
        layout="/kaniko/out",
        registries=Registries(
            ("i.example",),
            ("s.example",),
            ("m.example",),
            (RegistryMap("gcr.io", "g.example/x"),),
            skip_fallback=True,
            ca_bundle=f"{ONE}# two\n{TWO}",
        ),
        docker_config=DockerConfig({"a.example": {"auth": auth}, "b.example": {"password": "2"}}),
        heartbeat_seconds=5,
        source=SourceRequest(
            HttpSource("https://h.example/x?sig=abc"),
            "me",
            "pass",
            "ab" * 32,
            "sub/dir",
            "docker/Dockerfile",
            max_bytes=10,
            max_entries=20,
            seconds=120,
        ),
        dockerfile_path="docker/Dockerfile",
        dockerfile_content="",
        build_args=(BuildArg("A", "1"),),
        secret_build_args=(BuildArg("TOKEN", "s3cret"),),
        target="final",
        cache=CachePolicy("r.example/cache", 7200, read_only=True),
    )
    assert set(secrets_of(request)) == {auth, "p", "2", "pass", "s3cret"}
    assert "s3cret" not in repr(request)


def test_a_push_reads_its_own_variables_only():
    environment = {"OUTPUT_IMAGE": "r.example/app", "SOURCE_GET_URL": "nonsense", "BUILD_ARG": "nonsense"}
    push = PushRequest(
        command=Command.PUSH,
        outputs=(APP,),
        push=True,
        layout="/kaniko/layout",
        registries=Registries(),
        docker_config=None,
        heartbeat_seconds=30,
        by_digest=False,
    )
    assert parse_request(Command.PUSH, environment) == push
    assert parse_request(Command.PUSH, {**environment, "PUSH_BY_DIGEST": "true"}) == replace(push, by_digest=True)


def test_an_index_names_its_images():
    digest = "sha256:" + "a" * 64
    request = parse_request(
        Command.INDEX, {"OUTPUT_IMAGE": "r.example/app", "INDEX_MANIFESTS": f"linux/arm/v7={digest}"}
    )
    assert isinstance(request, IndexRequest)
    assert request.members == (Member(Platform("linux", "arm", "v7"), digest),)
    assert problems(Command.INDEX, {"OUTPUT_IMAGE": "r.example/app"}) == (
        "One variable is invalid: INDEX_MANIFESTS: name the images, such as linux/amd64=sha256:…."
    )


def test_a_build_needs_no_output_and_has_a_layout():
    request = parse_request(Command.BUILD, {})
    assert (request.outputs, request.push, request.layout) == ((), False, "/kaniko/layout")


@pytest.mark.parametrize(
    ("environment", "repo"),
    [
        ({}, ""),
        ({"CACHE": "true"}, "r.example/app/cache"),
        ({"CACHE_REPO": "oci:/cache/x"}, "oci:/cache/x"),
        ({"CACHE": "auto", "CACHE_REPO": "r.example/c2"}, "r.example/c2"),
        ({"CACHE": "false", "CACHE_REPO": "r.example/c2"}, ""),
        ({"CACHE": "true", "OUTPUT_IMAGE": "me/app"}, "index.docker.io/me/app-cache"),
    ],
)
def test_when_and_where_layers_are_cached(environment: dict[str, str], repo: str):
    request = parse_request(Command.ALL, {"OUTPUT_IMAGE": "r.example/app", **environment})
    assert isinstance(request, BuildRequest)
    assert (request.cache.repo if request.cache else "") == repo


def test_all_problems_are_told_at_once_and_no_secret_is():
    message = problems(
        Command.ALL,
        {
            "BUILD_ARG": "hunter2",
            "BUILD_ARG_FROM": "HOME=X",
            "CACHE": "perhaps",
            "CACHE_TTL": "soon",
            "SOURCE_GET_URL": "ftp://hunter2",
            "DOCKER_CONFIG_JSON": "hunter2",
            "DOCKER_CONFIG_JSON_1": "hunter2",
            "REGISTRY_CA_3": "hunter2",
            "INSECURE_REGISTRIES": "http://r.example",
            "REGISTRY_MAP": "a=b=c",
            "NO_PUSH": "no thanks",
            "OUTPUT_LAYOUT": "relative",
            "CONTEXT_SUB_PATH": "../up",
            "DOCKERFILE_CONTENT": "FROM x",
            "DOCKERFILE_PATH": "y",
        },
    )
    assert message.startswith("15 variables are invalid: ")
    for name in (
        "OUTPUT_IMAGE: name the image",
        "BUILD_ARG: item 1",
        "BUILD_ARG_FROM='HOME=X': 'HOME'",
        "CACHE='perhaps': write auto, true or false",
        "CACHE_TTL='soon'",
        "SOURCE_GET_URL: ftp://",
        "DOCKER_CONFIG_JSON: ",
        "DOCKER_CONFIG_JSON_1: ",
        "REGISTRY_CA_3: write one or more certificates",
        "INSECURE_REGISTRIES='http://r.example'",
        "REGISTRY_MAP='a=b=c'",
        "NO_PUSH='no thanks': write true or false",
        "OUTPUT_LAYOUT='relative': write an absolute path",
        "CONTEXT_SUB_PATH='../up'",
        "DOCKERFILE_PATH='y': DOCKERFILE_CONTENT is also set",
    ):
        assert name in message
    assert "hunter2" not in message


WRONG = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=3, max_size=40)
NAMES = sorted(variable.name for variable in TABLE if not variable.secret)


@given(st.sampled_from(NAMES), WRONG | st.just("http://r.example") | st.just("a b") | st.just("--x=y"))
def test_no_message_shows_a_value_twice(name: str, text: str):
    try:
        parse_request(Command.BUILD, {name: text})
        parse_request(Command.INDEX, {name: text})
    except JobError as error:
        shown = re.findall(rf"(?:^|: |; ){re.escape(name)}=(.*)", error.failure.message)
        quoted = repr(text.strip())
        assert all(each.count(quoted) <= 1 for each in shown)


def test_numbers_of_variables_have_few_digits():
    environment = {"OUTPUT_IMAGE": "r.example/app", f"REGISTRY_CA_{'1' * 5000}": "x", "REGISTRY_CA_\u0661": "x"}
    assert parse_request(Command.ALL, environment) == DEFAULTS


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"OUTPUT_IMAGE": "R example"}, "OUTPUT_IMAGE='R example': "),
        ({"HEARTBEAT_SECONDS": "99999999"}, "HEARTBEAT_SECONDS='99999999': write a whole number from 1 to 86400"),
        ({"OUTPUT_IMAGE": "r.example/app,r.example/app:latest"}, "appears twice"),
        ({"OUTPUT_IMAGE": f"r.example/app@sha256:{'a' * 64}"}, "pushed to a tag"),
        ({"SOURCE_GET_URL": "dir:///x", "SOURCE_SHA256": "a" * 64}, "only an archive has a checksum"),
        ({"BUILD_ARG_FROM": "A=MISSING"}, "the environment has no MISSING"),
        ({"NO_PUSH": "true", "OUTPUT_IMAGE": "", "CACHE": "true"}, "no OUTPUT_IMAGE to derive"),
        ({"SOURCE_MAX_BYTES": "0"}, "from 1 to"),
        ({"SOURCE_USERNAME": "me"}, "SOURCE_USERNAME='me': it is for http(s):// and Git, and SOURCE_GET_URL names"),
        ({"SOURCE_GET_URL": "s3://bkt/x", "SOURCE_PASSWORD": "p"}, "SOURCE_PASSWORD: it is for http(s):// and Git"),
        (
            {"SOURCE_GET_URL": "dir:///x", "SOURCE_CA": ONE},
            "SOURCE_CA: it is for http(s)://, Git, s3://, gs://, Azure Blob Storage and oci://, and",
        ),
        (
            {"SOURCE_GET_URL": "https://h/x", "SOURCE_CA": "PEM"},
            "SOURCE_CA: write one or more certificates in PEM form",
        ),
        ({"SOURCE_GET_URL": "gs://bkt/x", "SOURCE_ACCESS_KEY_ID": "p"}, "SOURCE_ACCESS_KEY_ID='p': it is for s3://"),
        ({"SOURCE_GET_URL": "https://h/x", "SOURCE_GOOGLE_KEY": GOOGLE_KEY}, "SOURCE_GOOGLE_KEY: it is for gs://"),
        ({"SOURCE_GET_URL": "https://h/x", "SOURCE_SSH_PRIVATE_KEY": KEY}, "SOURCE_SSH_PRIVATE_KEY: it is for Git"),
        ({"SOURCE_GET_URL": "s3://bkt/x", "SOURCE_AZURE_SAS": "sig=x"}, "SOURCE_AZURE_SAS: it is for Azure"),
        (
            {"SOURCE_GET_URL": "s3://bkt/x", "SOURCE_ACCESS_KEY_ID": "x"},
            "SOURCE_SECRET_ACCESS_KEY: SOURCE_ACCESS_KEY_ID",
        ),
        (
            {"SOURCE_GET_URL": "s3://bkt/x", "SOURCE_SESSION_TOKEN": "x"},
            "SOURCE_SESSION_TOKEN: set SOURCE_ACCESS_KEY_ID",
        ),
        (
            {"SOURCE_GET_URL": "s3://bkt/x", "SOURCE_S3_ENDPOINT": "minio"},
            "SOURCE_S3_ENDPOINT='minio': write the server's",
        ),
        (
            {"SOURCE_GET_URL": "s3://bkt/x", "AWS_ENDPOINT_URL": "http://m/x"},
            "AWS_ENDPOINT_URL='http://m/x': write only sch",
        ),
        ({"SOURCE_GET_URL": "s3://bkt/x", "SOURCE_S3_REGION": "a b"}, "SOURCE_S3_REGION='a b': write a region"),
        ({"SOURCE_GET_URL": "gs://bkt/x", "SOURCE_GOOGLE_KEY": "{}"}, "SOURCE_GOOGLE_KEY: write the JSON"),
        ({"SOURCE_GET_URL": AZURE, "SOURCE_AZURE_KEY": "?"}, "SOURCE_AZURE_KEY: write a key"),
        ({"SOURCE_GET_URL": AZURE, "SOURCE_AZURE_SAS": "sv=1"}, "SOURCE_AZURE_SAS: write a shared access signature"),
    ],
)
def test_contradictions(environment: dict[str, str], problem: str):
    assert problem in problems(Command.ALL, {"OUTPUT_IMAGE": "r.example/app", **environment})


def test_arguments_that_are_no_secrets_may_come_from_other_variables_too():
    environment = {"BUILD_ARG": "QT0x", "BUILD_ARG_FROM_CONFIG": "B=V", "BUILD_ARG_FROM": "C=W", "V": "v", "W": "w" * 5}
    request = parse_request(Command.BUILD, environment)
    assert isinstance(request, BuildRequest)
    assert request.build_args == (BuildArg("A", "1"), BuildArg("B", "v"))
    assert request.secret_build_args == (BuildArg("C", "wwwww"),)
    assert set(secrets_of(request)) == {"wwwww", ""}
    assert "BUILD_ARG_FROM_CONFIG='B=V': the environment has no V" in problems(
        Command.BUILD, {"BUILD_ARG_FROM_CONFIG": "B=V"}
    )


def test_a_dockerfile_may_be_named_by_its_whole_path_in_a_directory():
    environment = {"SOURCE_GET_URL": "dir:///tmp/source/", "DOCKERFILE_PATH": "/tmp/source/docker/Dockerfile"}
    request = parse_request(Command.BUILD, environment)
    assert isinstance(request, BuildRequest)
    assert request.dockerfile_path == "docker/Dockerfile"
    for elsewhere in ({"DOCKERFILE_PATH": "/tmp/other"}, {"SOURCE_GET_URL": ""}, {"CONTEXT_SUB_PATH": "docker"}):
        assert "write a path relative to the build context" in problems(Command.BUILD, {**environment, **elsewhere})


def _buckets(environment: dict[str, str]) -> BucketAccess:
    request = parse_build(environment)
    assert not set(SECRETS) - set(secrets_of(request))
    assert "s3cret" not in repr(request)
    return request.source.buckets


SECRETS = ("s3cret key", "s3cret token")


def test_keys_for_a_bucket_come_from_our_variables_or_from_those_of_its_cloud():
    url = {"SOURCE_GET_URL": "s3://bkt/x"}
    own = {
        "SOURCE_S3_ENDPOINT": "https://minio.example:9000/",
        "SOURCE_S3_REGION": "own-1",
        "SOURCE_ACCESS_KEY_ID": "own",
        "SOURCE_SECRET_ACCESS_KEY": "s3cret key",
        "SOURCE_SESSION_TOKEN": "s3cret token",
    }
    cloud = {
        "AWS_ENDPOINT_URL_S3": "http://cloud.example",
        "AWS_REGION": "cloud-1",
        "AWS_ACCESS_KEY_ID": "cloud",
        "AWS_SECRET_ACCESS_KEY": "s3cret key",
        "AWS_SESSION_TOKEN": "s3cret token",
        "AWS_ROLE_ARN": "role",
        "AWS_PAGER": "",
        "PATH": "/bin",
    }
    ours = BucketAccess("https://minio.example:9000", "own-1", "own", *SECRETS)
    assert _buckets(url | own) == ours
    assert _buckets(url | cloud | own) == replace(ours, ambient={"AWS_ROLE_ARN": "role"})
    theirs = BucketAccess("http://cloud.example", "cloud-1", "cloud", *SECRETS, ambient={"AWS_ROLE_ARN": "role"})
    assert _buckets(url | cloud) == theirs
    # A key of ours never goes with a token of theirs.
    del own["SOURCE_SESSION_TOKEN"]
    assert parse_build(url | cloud | own).source.buckets.session_token == ""


def test_no_key_of_google_or_azure_is_printed():
    encoded = b64encode(GOOGLE_KEY.encode()).decode()
    for text in (GOOGLE_KEY, encoded):
        request = parse_build({"SOURCE_GET_URL": "gs://bkt/x", "SOURCE_GOOGLE_KEY": text})
        assert request.source.buckets.google_key == GOOGLE_KEY
        assert "s3cret key\n" in set(secrets_of(request))
    request = parse_build(
        {"SOURCE_GET_URL": AZURE, "SOURCE_AZURE_KEY": "aGk=", "SOURCE_AZURE_SAS": "?sv=1&sig=s3cret%3D"}
    )
    assert {"aGk=", "s3cret%3D", "s3cret="} <= set(secrets_of(request))
    assert request.source.buckets.azure_sas == "sv=1&sig=s3cret%3D"


def parse_build(environment: dict[str, str]) -> BuildRequest:
    request = parse_request(Command.BUILD, environment)
    assert isinstance(request, BuildRequest)
    return request
