"""Every situation of the shim's table: the real executor is made to fail that way."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from kaniko_shim.outcome.situations.table import PULLING, PUSHING
from standalone.answering import serve_answers
from standalone.breaking import break_blobs
from standalone.container import Builder, Done
from standalone.failing import CASES
from standalone.failing.case import Failing
from standalone.registry import private_registry
from support.file_server import serve_https
from support.forward_proxy import serve_proxy
from support.https import Https
from support.registry import Registry

#: How a process ends, rather than what it says.
ENDINGS = {"RUN exits", "RUN killed", "disk full in a RUN", "out of memory in a RUN"}
#: Rows that no build can reach on purpose; the words are from the executor's source.
UNREACHED = {
    "token server refused": "crane refuses it, and `check`: tests/unit/shim/registry/test_push_check.py",
    "executor out of memory": "Go's own words; a container's limit kills the process before it can say them",
    "assertion": "no check of the executor is known to fail",
    "unsafe archive": "only the executor that ships refuses such archives",
    "links in a circle": "only the executor that ships fails, on a link that a RUN makes",
    "crash": "no crash of the executor is known that the shim does not prevent",
    "not permitted": "the shim refuses a container without the capabilities, see test_mistakes.py",
    "no Dockerfile": "the shim looks for it first",
    "snapshot took too long": "it takes 90 minutes, and the variable for it is not passed on",
    "credential helper failed": "it takes a program in the image, see test_credential_helpers.py",
    "other trouble with files": "what is left of a family, whose usual members have rows of their own",
}

#: Most builds here wait: the executor tries again what registries refuse.
AT_ONCE = 6


def corrupted(_: int, blob: bytes) -> bytes:
    """A blob whose last byte is another."""
    return blob[:-1] + bytes([blob[-1] ^ 1])


def name(case: Failing) -> str:
    """A name for a case that tells what fails."""
    return f"{case.situation} {CASES.index(case)}".replace(" ", "-")


@pytest.fixture(scope="module")
def places(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses that the cases name."""
    host, _, port = registry.address.partition(":")
    with ExitStack() as stack:
        https = Https.make(tmp_path_factory.mktemp("https"))
        expired = Https.make_expired(tmp_path_factory.mktemp("expired"))
        untrusted = stack.enter_context(serve_https(https, b"x")).removeprefix("https://")
        private = stack.enter_context(private_registry(tmp_path_factory.mktemp("private"), "robot", "s3cret-s3cret"))
        yield {
            "plain": registry.address,
            "named": f"plain.test:{port}",
            "host": host,
            "private": private.address,
            "proxy": stack.enter_context(serve_proxy({}, "robot", "right")).url.rpartition("@")[2],
            "corrupt": stack.enter_context(break_blobs(registry.address, corrupted))[0],
            "answers": stack.enter_context(serve_answers()),
            "untrusted": untrusted,
            "other": untrusted.replace("127.0.0.1", "other.test"),
            "expired_ca": expired.authority.read_text(),
            "expired": stack.enter_context(serve_https(expired, b"x")).removeprefix("https://"),
        }


@pytest.fixture(scope="module")
def ended(
    builder: Builder,
    places: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[dict[Failing, Future[Done]]]:
    """Every selected build, several at once."""
    cases = [item.callspec.params.get("case") for item in request.session.items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            case: pool.submit(build, builder, case, places, tmp_path_factory.mktemp("source"))
            for case in dict.fromkeys(case for case in cases if isinstance(case, Failing))
        }


def build(builder: Builder, case: Failing, places: Mapping[str, str], directory: Path) -> Done:
    """Build a case in a container."""
    source = directory / "source"
    for path, content in {"Dockerfile": case.dockerfile.format_map(places), **case.files}.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(content, encoding="latin-1")
    hosts = directory / "hosts"
    hosts.write_text(f"127.0.0.1 localhost other.test\n{places['host']} plain.test\n")
    auth = b64encode(b"robot:wr0ng-wr0ng").decode()
    credentials = {"auths": {places["private"]: {"auth": auth}}} if case.wrong_password else {"auths": {}}
    env = {
        "OUTPUT_IMAGE": "{plain}/standalone/failing:1",
        "SOURCE_GET_URL": "dir:///tmp/source",
        "INSECURE_REGISTRIES": "{plain},{answers}",
        "REGISTRY_MIRRORS": "{plain}",
        "SKIP_DEFAULT_REGISTRY_FALLBACK": "true",
        **case.env,
    }
    return builder.run(
        env={key: value.format_map(places) for key, value in env.items()}
        | {"DOCKER_CONFIG_JSON": json.dumps(credentials)},
        mounts={"/tmp/source": source, "/etc/hosts": hosts, **dict.fromkeys(case.mounts, hosts)},
        limits=case.limits,
    )


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_failure_is_understood(
    builder: Builder, ended: dict[Failing, Future[Done]], places: dict[str, str], case: Failing
):
    done = ended[case].result(300)
    if builder.has_shipped_executor:
        case = replace(case, **case.shipped)
    result = done.result
    pattern = case.message.format_map(places).replace("[", "[[]")
    assert fnmatchcase(result.get("message", ""), pattern), f"{result.get('message')}\n{done.log}"
    lines = case.dockerfile.format_map(places).splitlines()
    named = {"instruction": lines[case.line - 1], "dockerfileLine": case.line} if case.line else {}
    if case.reason == "DockerfileInvalid" and "instruction" not in result:
        named.pop("instruction", None)
    expected = {"outcome": "Failed", "reason": case.reason, "exitCode": case.code, **named}
    if case.registry:
        expected["registry"] = case.registry.format_map(places)
    wanted = ("outcome", "reason", "exitCode", "instruction", "dockerfileLine", "registry")
    assert {key: result[key] for key in wanted if key in result} == expected, done.log
    assert done.code == case.code
    assert result["hint"]


def test_every_row_is_proven():
    rows = {row.name for row in (*PULLING, *PUSHING)}
    proven = {case.situation for case in CASES}
    assert proven - ENDINGS - {"no FROM", "a heredoc without an end"} == rows - UNREACHED.keys()
    assert proven >= ENDINGS


def test_credentials_are_asked_for_or_blamed(ended: dict[Failing, Future[Done]], places: dict[str, str]):
    refused = [case for case in ended if case.registry == "{private}" and "OUTPUT_IMAGE" in case.env]
    hints = {case.wrong_password: ended[case].result(300).result["hint"] for case in refused}
    private = places["private"]
    assert hints == {
        False: f"DOCKER_CONFIG_JSON has no credentials for {private}: add an entry {private} to its auths.",
        True: f"The registry did not accept the credentials for {private}: check that they are valid and can push to "
        "that repository.",
    }
