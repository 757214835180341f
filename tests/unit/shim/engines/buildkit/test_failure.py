"""How BuildKit fails: what it says word for word, and what becomes of it."""

import pytest
from imagebuild_vocabulary.remedies import Remedy
from kaniko_shim.engines.buildkit.failure import Evidence, explain
from kaniko_shim.outcome.reasons import Reason

SHOWN = "Dockerfile:3\n--------------------\n   2 |     USER a\n   3 | >>> RUN b\n   4 |     \n--------------------\n"
METADATA = "failed to resolve source metadata for"
HEAD = 'failed to do request: Head "https://r.example/v2/x/manifests/1":'
TOKEN = "failed to fetch anonymous token: unexpected status from GET request to https://r.example/token"
PROCESS = 'process "/bin/sh -c b" did not complete successfully:'
RUNC = "runc run failed: unable to start container process:"


def failed(error: str, **more: object) -> Evidence:
    return Evidence(f"{SHOWN}error: failed to solve: {error}\n", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "reason", "message"),
    [
        (
            'failed to compute cache key: failed to calculate checksum of ref a::b: "/b/missing.txt": not found',
            Reason.COPY_FAILED,
            "The build context, or the stage or image in --from, has no b/missing.txt.",
        ),
        (
            "dockerfile parse error on line 3: unknown instruction: FOO",
            Reason.DOCKERFILE_INVALID,
            "The Dockerfile can't be parsed: dockerfile parse error on line 3: unknown instruction: FOO.",
        ),
        ("unterminated heredoc", Reason.DOCKERFILE_INVALID, "The Dockerfile can't be parsed: unterminated heredoc."),
        ('unsupported mount type "nope"', Reason.DOCKERFILE_INVALID, None),
        (
            'Syntax error - can\'t find = in "b}". Must be of the form: name=value',
            Reason.DOCKERFILE_INVALID,
            None,
        ),
        (
            'target stage "nope" could not be found',
            Reason.TARGET_NOT_FOUND,
            "The Dockerfile has no stage nope, which TARGET names.",
        ),
        (
            f"busybox:nope: {METADATA} docker.io/library/busybox:nope: docker.io/library/busybox:nope: not found",
            Reason.BASE_IMAGE_NOT_FOUND,
            None,
        ),
        (
            f"r.example/x:1: {METADATA} r.example/x:1: {HEAD} dial tcp: lookup r.example on 10.0.0.1:53: no such host",
            Reason.REGISTRY_UNAVAILABLE,
            None,
        ),
        (
            f"r.example/x:1: {METADATA} r.example/x:1: failed to authorize: {TOKEN}: 401 Unauthorized",
            Reason.BASE_IMAGE_UNAUTHORIZED,
            None,
        ),
        (
            f"r.example/x:1: {METADATA} r.example/x:1: {HEAD} x509: certificate signed by unknown authority",
            Reason.REGISTRY_TLS,
            None,
        ),
        (
            'failed to parse stage name "Bad/Name": invalid reference format: repository name (Name) must be lowercase',
            Reason.DOCKERFILE_INVALID,
            "FROM names Bad/Name, which is not a valid image name.",
        ),
        (
            f"{PROCESS} unable to find user nobody2: no matching entries in passwd file",
            Reason.RUN_COMMAND_FAILED,
            "The image has no user or group nobody2, which USER or --chown names.",
        ),
        ("secret npm: not found", Reason.INVALID_SPEC, None),
        ("digest mismatch sha256:8f: sha256:00", Reason.COPY_FAILED, None),
        (
            "failed to load cache key: invalid response status 404",
            Reason.COPY_FAILED,
            "The server of ADD's URL answered 404.",
        ),
        ("mkdir /f: not a directory", Reason.COPY_FAILED, None),
        ("write /x: no space left on device", Reason.DISK_FULL, None),
        ("invalid image config for export: missing image architecture", Reason.DOCKERFILE_UNSUPPORTED, None),
        ("something new", Reason.INTERNAL, "BuildKit failed: something new."),
    ],
)
def test_what_it_says(error: str, reason: Reason, message: str | None):
    failure = explain(failed(error), "RUN b")
    assert failure.reason is reason
    assert message is None or failure.message == message
    assert (failure.instruction, failure.line) == ("RUN b", 3)


def test_the_registry_of_a_base_image_is_named():
    failure = explain(
        failed(f"10.0.0.1:5000/a:1: {METADATA} 10.0.0.1:5000/a:1: 10.0.0.1:5000/a:1: not found"), "FROM a"
    )
    assert (failure.registry, failure.reason) == ("10.0.0.1:5000", Reason.BASE_IMAGE_NOT_FOUND)
    assert failure.message.startswith("The base image 10.0.0.1:5000/a:1 does not exist: ")


@pytest.mark.parametrize(("code", "exit_code"), [(3, 3), (0, 1), (137, 137)])
def test_a_run_that_ends(code: int, exit_code: int):
    failure = explain(failed(f'process "/bin/sh -c b" did not complete successfully: exit code: {code}'), "RUN b")
    assert (failure.reason, failure.exit_code) == (Reason.RUN_COMMAND_FAILED, exit_code)
    assert failure.message == f"The RUN in line 3 ended with exit code {code}."


@pytest.mark.parametrize(
    ("printed", "message"),
    [
        (
            f'{RUNC} exec: "/bin/sh": stat /bin/sh: no such file or directory',
            "The RUN in line 3 could not start: the image has no /bin/sh.",
        ),
        (
            f'{RUNC} exec: "/f": permission denied',
            "The RUN in line 3 could not start /f: it is not executable.",
        ),
        (
            "exec /f: exec format error",
            "The RUN in line 3 could not start /f: it is built for another architecture, or is a script without #!.",
        ),
    ],
)
def test_a_run_that_does_not_start(printed: str, message: str):
    error = 'process "/f" did not complete successfully: exit code: 1'
    failure = explain(failed(error, printed=printed), "RUN b")
    assert (failure.reason, failure.exit_code, failure.message) == (Reason.RUN_COMMAND_FAILED, 1, message)


def test_memory_and_disk():
    killed = failed('process "/bin/sh -c b" did not complete successfully: exit code: 137', out_of_memory=True)
    assert explain(killed, "RUN b").reason is Reason.OUT_OF_MEMORY
    full = failed('process "/bin/sh -c b" did not complete successfully: exit code: 1', disk_full=True)
    assert explain(full, "RUN b").reason is Reason.DISK_FULL
    assert explain(Evidence("", out_of_memory=True), "").reason is Reason.OUT_OF_MEMORY


def test_nothing_at_all():
    failure = explain(Evidence(""), "")
    assert (failure.reason, failure.message, failure.line) == (
        Reason.INTERNAL,
        "BuildKit failed: it gave no reason.",
        0,
    )


def test_a_base_image_that_is_not_allowed_and_a_run_that_only_says_so():
    denied = 'source "docker-image://docker.io/library/python:latest" denied by policy'
    allowed = ("r.example/approved", "scratch")
    failure = explain(
        Evidence(f"Dockerfile:3\nerror: failed to solve: {denied}: source denied", allowed=allowed), "FROM x"
    )
    message = (
        "The base image docker.io/library/python:latest is not allowed here: use one of r.example/approved, scratch."
    )
    assert (failure.reason, failure.message, failure.line) == (Reason.INVALID_SPEC, message, 3)
    assert (failure.instruction, failure.remedy) == ("FROM x", Remedy.BASE_IMAGE)
    command = f"/bin/sh -c echo '{denied}'; exit 3"
    words = f'error: failed to solve: process "{command}" did not complete successfully: exit code: 3'
    assert explain(Evidence(words, allowed=allowed), "RUN x").reason is Reason.RUN_COMMAND_FAILED
