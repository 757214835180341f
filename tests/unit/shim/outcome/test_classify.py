import pytest
from kaniko_shim.outcome.classify import classify
from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.evidence import Evidence
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.system.processes.process import Ended

RUN = "error building image: error building stage: failed to execute command: "
PERMISSIONS = (
    "error checking push permissions -- make sure you entered the correct tag name, and that you are authenticated "
    'correctly, and try again: checking push permission for "r.example:5000/app:1": '
)


PERMISSIONS_SHIPPED = 'error checking push permissions: checking push permission for "r.example:5000/app:1": '


def failed(
    error: str, code: int = 1, *, log: str = "", pushing: bool = False, oom: bool = False, full: bool = False
) -> Failure:
    evidence = Evidence(Ended(code), error, log, pushing, oom, full, "RUN make", 12, cache_repo="r.example/app/cache")
    return classify(evidence)


@pytest.mark.parametrize("code", [1, 2, 42, 126, 127, 137])
def test_a_run_keeps_its_own_exit_code(code: int):
    assert failed(f"{RUN}waiting for process to exit: exit status {code}", code) == Failure(
        Reason.RUN_COMMAND_FAILED,
        f"The RUN in line 12 ended with exit code {code}.",
        exit_code=code,
        instruction="RUN make",
        line=12,
    )


def test_a_run_that_was_killed():
    error = f"{RUN}waiting for process to exit: signal: killed"
    assert failed(error, 255).message == "The RUN in line 12 was stopped by a signal (killed)."
    assert failed(error, 255).code == 137
    assert failed(error, 255, oom=True).reason is Reason.OUT_OF_MEMORY
    error = f"{RUN}waiting for process to exit: exit status 137"
    assert failed(error, 137, oom=True).reason is Reason.OUT_OF_MEMORY


def test_the_executor_that_was_killed():
    assert classify(Evidence(Ended(None, 9), "anything", out_of_memory=True)).reason is Reason.OUT_OF_MEMORY
    failure = classify(Evidence(Ended(None, 9), "anything", instruction="RUN make", line=12))
    assert (failure.reason, failure.instruction, failure.line) == (Reason.INTERNAL, "RUN make", 12)
    assert failure.message == "The executor was killed (SIGKILL), but did not run out of memory."
    unknown = classify(Evidence(Ended(None, 9), "anything", out_of_memory=None, pushing=True))
    assert (unknown.reason, unknown.instruction) == (Reason.INTERNAL, "")
    assert "can't be read" in unknown.message
    assert classify(Evidence(Ended(None, 11), "")) == Failure(Reason.INTERNAL, "The executor was stopped by signal 11.")


@pytest.mark.parametrize(("code", "ours"), [(0, 1), (255, 255), (256, 255), (512, 255)])
def test_no_failed_run_ends_as_a_success(code: int, ours: int):
    failure = failed(f"{RUN}waiting for process to exit: exit status {code}")
    assert (failure.reason, failure.code) == (Reason.RUN_COMMAND_FAILED, ours)


def test_a_full_disk_inside_of_a_run():
    error = f"{RUN}waiting for process to exit: exit status 1"
    failure = failed(error, log="cp: error writing 'x': No space left on device\n" + error, full=True)
    assert (failure.reason, failure.code, failure.line) == (Reason.DISK_FULL, 82, 12)


def test_a_run_that_only_prints_that_the_disk_is_full():
    error = f"{RUN}waiting for process to exit: exit status 3"
    failure = failed(error, log="sh: no space left on device\n" + error)
    assert (failure.reason, failure.code, failure.line) == (Reason.RUN_COMMAND_FAILED, 3, 12)
    assert failure.hint.startswith("It printed that no space is left, but the builder's disk has room")


PULL, PUSH = False, True


@pytest.mark.parametrize(
    ("error", "pushing", "reason", "registry"),
    [
        (f"{RUN}starting command: fork/exec /bin/sh: no such file or directory", PULL, Reason.RUN_COMMAND_FAILED, ""),
        (f"{RUN}starting command: fork/exec /bin/sh: exec format error", PULL, Reason.RUN_COMMAND_FAILED, ""),
        (
            "error building image: parsing dockerfile: dockerfile parse error on line 2: unknown instruction: RUNN",
            PULL,
            Reason.DOCKERFILE_INVALID,
            "",
        ),
        ("error building image: parsing dockerfile: file with no instructions", PULL, Reason.DOCKERFILE_INVALID, ""),
        ("Error finding target stage: x is not a valid target build stage", PULL, Reason.TARGET_NOT_FOUND, ""),
        (
            'error building image: error finding target stage: "x" is not a valid target build stage',
            PULL,
            Reason.TARGET_NOT_FOUND,
            "",
        ),
        (
            (
                "error building image: error building stage: failed to get files used from context: failed to get "
                "fileinfo for /kaniko/buildcontext/a: lstat /kaniko/buildcontext/a: no such file or directory"
            ),
            PULL,
            Reason.COPY_FAILED,
            "",
        ),
        (
            (
                "error building image: unable to complete operation after 3 attempts, last error: "
                "GET https://r.example/v2/a/manifests/1: MANIFEST_UNKNOWN: manifest unknown; map[Tag:1]"
            ),
            PULL,
            Reason.BASE_IMAGE_NOT_FOUND,
            "r.example",
        ),
        (
            "error building image: image not found on any configured mapped registries for busyboxx",
            PULL,
            Reason.BASE_IMAGE_NOT_FOUND,
            "",
        ),
        (
            (
                "error building image: GET https://index.docker.io/v2/library/nosuch/manifests/latest: UNAUTHORIZED: "
                "authentication required; [map[Action:pull]]"
            ),
            PULL,
            Reason.BASE_IMAGE_UNAUTHORIZED,
            "index.docker.io",
        ),
        (
            "error building image: GET https://index.docker.io/v2/library/x/manifests/1: TOOMANYREQUESTS: limit",
            PULL,
            Reason.RATE_LIMITED,
            "index.docker.io",
        ),
        (
            f"{PERMISSIONS}POST https://r.example:5000/v2/app/blobs/uploads/: UNAUTHORIZED: authentication required",
            PULL,
            Reason.REGISTRY_UNAUTHORIZED,
            "r.example:5000",
        ),
        (
            (
                f'{PERMISSIONS}Get "https://r.example:5000/v2/": tls: failed to verify certificate: x509: certificate '
                "signed by unknown authority"
            ),
            PULL,
            Reason.REGISTRY_TLS,
            "r.example:5000",
        ),
        (
            f'{PERMISSIONS}Get "https://r.example:5000/v2/": http: server gave HTTP response to HTTPS client',
            PULL,
            Reason.REGISTRY_TLS,
            "r.example:5000",
        ),
        (
            (
                'fetching manifest r.example:5000/app@sha256:1: Get "https://r.example:5000/v2/": http: server gave '
                'HTTP response to HTTPS client; Get "http://r.example:5000/v2/": dial tcp 10.0.0.1:5000: connect: '
                "connection refused"
            ),
            PUSH,
            Reason.REGISTRY_UNAVAILABLE,
            "r.example:5000",
        ),
        (
            (
                "error pushing image: failed to push to destination r.example/app:1: PUT https://r.example/v2/app/manifests/1"
                ": MANIFEST_INVALID: no"
            ),
            PUSH,
            Reason.PUSH_REJECTED,
            "r.example",
        ),
        (
            "HEAD https://r.example/v2/aa/bb/manifests/1: unexpected status code 401 Unauthorized",
            PUSH,
            Reason.REGISTRY_UNAUTHORIZED,
            "r.example",
        ),
        (
            'Get "https://nosuch.example/v2/": dial tcp: lookup nosuch.example on 10.0.0.10:53: no such host',
            PUSH,
            Reason.REGISTRY_UNAVAILABLE,
            "nosuch.example",
        ),
        (
            'Get "https://10.0.0.1:5000/v2/": dial tcp 10.0.0.1:5000: connect: connection refused',
            PULL,
            Reason.REGISTRY_UNAVAILABLE,
            "10.0.0.1:5000",
        ),
        (
            "PUT https://r.example/v2/a/blobs/uploads/1: unexpected status code 502",
            PUSH,
            Reason.REGISTRY_UNAVAILABLE,
            "r.example",
        ),
        ("error building image: write /kaniko/1.tar: no space left on device", PULL, Reason.DISK_FULL, ""),
        (
            "error building image: failed to get filesystem from image: chown /x: operation not permitted",
            PULL,
            Reason.INTERNAL,
            "",
        ),
        ("fatal error: runtime: out of memory", PULL, Reason.OUT_OF_MEMORY, ""),
        ("something never seen", PULL, Reason.INTERNAL, ""),
        ("", PULL, Reason.INTERNAL, ""),
    ],
)
def test_last_words(error: str, pushing: bool, reason: Reason, registry: str):  # noqa: FBT001 - a parameter of the table
    failure = failed(error, pushing=pushing)
    assert (failure.reason, failure.registry) == (reason, registry)
    assert failure.message.endswith(".")
    assert failure.advice
    assert "make sure you entered" not in failure.message


@pytest.mark.parametrize("permissions", [PERMISSIONS, PERMISSIONS_SHIPPED])
def test_a_refused_push_is_told_without_the_words_around_it(permissions: str):
    failure = failed(f"{permissions}POST https://r.example:5000/v2/app/blobs/uploads/: DENIED: no")
    assert failure.message == (
        "r.example:5000 denied the push: POST https://r.example:5000/v2/app/blobs/uploads/: DENIED: no."
    )


def test_an_archive_that_the_executor_refuses():
    failure = failed(f'{RUN}unpacking local tar: tar entry "../x" is not allowed: references parent directory')
    assert failure.reason is Reason.COPY_FAILED
    assert failure.message.endswith(
        'of the build context: tar entry "../x" is not allowed: references parent directory.'
    )


@pytest.mark.parametrize("place", ["0", "deps/0", "busybox"])
def test_a_file_that_another_stage_does_not_have(place: str):
    failure = failed(
        "error building image: error building stage: failed to get files used from context: failed to get fileinfo for "
        f"/kaniko/{place}/a/b: lstat /kaniko/{place}/a/b: no such file or directory"
    )
    assert failure.message == "The stage or image in --from has no /a/b."


def test_an_assertion_is_named():
    failure = failed("panic: Assertion violated [run.process-set]: cmd.Process must be set\n\n[x")
    assert (failure.reason, failure.message) == (
        Reason.INTERNAL,
        "The executor stopped, because its own check run.process-set failed: cmd.Process must be set.",
    )


def test_a_message_says_what_the_reason_does_not():
    failure = failed(
        "error building image: parsing dockerfile: dockerfile parse error on line 2: unknown instruction: RUNN"
    )
    assert failure == Failure(
        Reason.DOCKERFILE_INVALID,
        "The Dockerfile can't be parsed: dockerfile parse error on line 2: unknown instruction: RUNN.",
        line=2,
    )


def test_the_cache_may_be_what_is_refused():
    error = (
        'error checking push permissions -- ...: checking push permission for "r.example/app/cache": POST '
        "https://r.example/v2/app/cache/blobs/uploads/: UNAUTHORIZED"
    )
    failure = failed(error)
    assert (failure.reason, failure.advice) == (
        Reason.REGISTRY_UNAUTHORIZED,
        "Add credentials for CACHE_REPO to DOCKER_CONFIG_JSON, or set CACHE_READ_ONLY=true.",
    )


def test_a_long_error_is_cut():
    assert len(failed("x" * 5000).message) < 800


@pytest.mark.parametrize(
    ("answer", "situation"),
    [
        (
            "TAG_INVALID: The image tag '1' already exists and cannot be overwritten because it is immutable.",
            "immutable tag",
        ),
        ("PRECONDITION: Failed to process request due to 'app:1' configured as immutable.", "immutable tag"),
        ("TAG_IMMUTABLE: no", "immutable tag"),
        ("unexpected status code 400 Repository does not allow updating assets: x", "immutable tag"),
        ("MANIFEST_INVALID: cannot update tag 1. The repository has enabled tag immutability", "immutable tag"),
        ("DENIED: Quota has been exceeded on namespace", "quota"),
        ("QUOTA_EXCEEDED: no", "quota"),
        ("DENIED: adding 5 MiB will exceed the configured upper limit of 1 GiB", "quota"),
        ("DENIED: Your action has been rejected because the namespace storage limit has been reached", "quota"),
        ("UNAUTHORIZED: quota exceeded", "push refused"),
        ("DENIED: repository immutable is not yours", "push refused"),
        ("unexpected status code 503 Service Unavailable: quota exceeded", "registry unavailable"),
        ("unexpected status code 408 Request Timeout", "registry unavailable"),
        ("unexpected status code 413 Request Entity Too Large", "push rejected"),
        (
            "multiple errors returned: DIGEST_INVALID: no; MANIFEST_BLOB_UNKNOWN: blob unknown to registry; sha256:f3",
            "layer not visible",
        ),
    ],
)
def test_what_registries_answer_to_a_push(answer: str, situation: str):
    error = f"PUT https://r.example/v2/app/manifests/1: {answer}"
    assert failed(error, pushing=True).situation == situation


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        (
            "exec /nosuch failed: No such file or directory",
            127,
            "The RUN in line 12 could not start: the image has no /nosuch.",
        ),
        (
            "exec /etc/passwd failed: Permission denied",
            126,
            "The RUN in line 12 could not start /etc/passwd: it is not executable.",
        ),
        (
            "exec /bin/sh failed: Exec format error",
            1,
            (
                "The RUN in line 12 could not start /bin/sh: it is built for another architecture, "
                "or is a script without #!."
            ),
        ),
    ],
)
def test_a_run_that_tini_could_not_start(said: str, code: int, message: str):
    error = f"{RUN}waiting for process to exit: exit status {code}"
    failure = failed(error, code, log=f"Running: [/x]\n[FATAL tini (13)] {said}\n{error}")
    assert (failure.reason, failure.message, failure.code) == (Reason.RUN_COMMAND_FAILED, message, code)
    later = failed(error, code, log=f"[FATAL tini (13)] {said}\nmore output\n{error}")
    assert later.message == f"The RUN in line 12 ended with exit code {code}."


def test_a_directory_that_a_run_cannot_start_in_is_not_the_fault_of_tini():
    failure = failed(f"{RUN}starting command: fork/exec /kaniko/tini: not a directory")
    assert failure.message == "The RUN in line 12 could not start: not a directory."
