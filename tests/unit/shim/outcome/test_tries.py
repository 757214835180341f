import pytest
from kaniko_shim.outcome.classify import classify
from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.evidence import Evidence, Tried
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.system.processes.process import Ended

NO_MIRROR = "error building image: image not found on any configured mapped registries for team/app:1"
AFTER = "unable to complete operation after 1 attempts, last error: "
UNKNOWN = AFTER + "GET https://{}/v2/team/app/manifests/1: MANIFEST_UNKNOWN: manifest unknown; map[Tag:1]"
BUSY = AFTER + "GET https://{}/v2/team/app/manifests/1: TOOMANYREQUESTS: slow down"
DENIED = AFTER + "GET https://{}/v2/team/app/manifests/1: UNAUTHORIZED: authentication required"
DOWN = AFTER + 'Get "https://{}/v2/": dial tcp: lookup {} on 10.0.0.10:53: no such host'


def tried(text: str, registry: str) -> Tried:
    return Tried(registry, text.replace("{}", registry))


def failed(*mirrors: Tried, own: str = "") -> Failure:
    error = "error building image: " + own.replace("{}", "index.docker.io") if own else NO_MIRROR
    where = {"instruction": "FROM team/app:1", "line": 1, "image": "team/app:1", "registry": "index.docker.io"}
    return classify(Evidence(Ended(1), error, mirrors=mirrors, **where))  # type: ignore[arg-type]


def test_the_mirror_that_answered_goes_before_a_registry_that_cannot_be_reached():
    failure = failed(tried(UNKNOWN, "m.example"), own=DOWN)
    assert (failure.reason, failure.registry, failure.line) == (Reason.BASE_IMAGE_NOT_FOUND, "m.example", 1)
    assert failure.message == (
        "The base image team/app:1 does not exist: GET https://m.example/v2/team/app/manifests/1: MANIFEST_UNKNOWN: "
        'manifest unknown. index.docker.io was asked too: Get "https://index.docker.io/v2/": dial tcp: lookup '
        "index.docker.io on 10.0.0.10:53: no such host."
    )
    assert "SKIP_DEFAULT_REGISTRY_FALLBACK=true" in failure.hint


def test_of_several_that_answered_the_last_goes_first():
    failure = failed(tried(UNKNOWN, "m.example"), own=DENIED)
    assert (failure.reason, failure.registry) == (Reason.BASE_IMAGE_UNAUTHORIZED, "index.docker.io")
    assert failure.message.startswith("index.docker.io denied access to team/app:1: ")
    assert "m.example was asked too: GET https://m.example/" in failure.message
    failure = failed(tried(DENIED, "a.example"), tried(UNKNOWN, "b.example"))
    assert (failure.reason, failure.registry) == (Reason.BASE_IMAGE_NOT_FOUND, "b.example")


@pytest.mark.parametrize("mirrors", [("a.example", "b.example"), ("b.example", "a.example")])
def test_a_mirror_that_is_down_does_not_hide_what_another_says(mirrors: tuple[str, str]):
    texts = {"a.example": DOWN, "b.example": UNKNOWN}
    failure = failed(*(tried(texts[each], each) for each in mirrors))
    assert (failure.reason, failure.registry) == (Reason.BASE_IMAGE_NOT_FOUND, "b.example")


def test_an_image_that_a_busy_registry_may_have_is_asked_for_again():
    failure = failed(tried(BUSY, "a.example"), tried(UNKNOWN, "b.example"))
    assert failure.reason is Reason.RATE_LIMITED
    assert failure.message.startswith("The base image team/app:1 does not exist: GET https://b.example/")


def test_without_any_answer_the_last_that_was_asked_is_named():
    failure = failed(tried(DOWN, "a.example"), own=DOWN)
    assert (failure.reason, failure.registry) == (Reason.REGISTRY_UNAVAILABLE, "index.docker.io")
    assert "a.example was asked too" in failure.message
