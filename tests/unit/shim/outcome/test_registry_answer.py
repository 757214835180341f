import pytest
from kaniko_shim.outcome.registry_answer import is_missing, parse_answer

URL = "GET https://r.example/v2/a/manifests/sha256-404503.sig: "


@pytest.mark.parametrize(
    ("error", "signs"),
    [
        (f"{URL}MANIFEST_UNKNOWN: manifest unknown; map[Tag:DENIED]", {"MANIFEST_UNKNOWN", "4xx", "rejected"}),
        (f"{URL}unexpected status code 404 Not Found", {"404", "4xx", "rejected"}),
        (f"{URL}unexpected status code 503 Service Unavailable: 404", {"503", "5xx"}),
        (f"{URL}UNKNOWN: unknown error", {"UNKNOWN", "5xx"}),
        (f"{URL}UNAUTHORIZED: authentication required; [map[Action:pull]]", {"UNAUTHORIZED", "4xx"}),
        (f"{URL}denied: no", {"DENIED", "4xx", "rejected"}),
        (f"{URL}PROJECTPOLICYVIOLATION: no", {"PROJECTPOLICYVIOLATION", "4xx", "rejected"}),
        (
            f"{URL}multiple errors returned: NAME_UNKNOWN: a; DENIED: b",
            {"NAME_UNKNOWN", "DENIED", "4xx", "rejected"},
        ),
        (
            "HEAD https://r.example/v2/a: unexpected status code 401 Unauthorized (HEAD responses have no body)",
            {"401", "4xx"},
        ),
    ],
)
def test_answers(error: str, signs: set[str]):
    answer = parse_answer(f"error pushing image: {error}")
    assert answer
    assert answer.signs == signs


@pytest.mark.parametrize(
    "error",
    [
        "",
        'Get "https://r.example/v2/": dial tcp: lookup r.example: no such host',
        'GET https://r.example/v2/: Get "https://r.example/token": x509: certificate signed by unknown authority',
        "GET https://r.example/v2/: EOF",
        "GET https://r.example/v2/: context deadline exceeded",
        "waiting for process to exit: exit status 1",
    ],
)
def test_what_is_no_answer(error: str):
    assert parse_answer(error) is None


def test_only_the_registry_can_say_that_something_is_missing():
    assert is_missing(f"{URL}MANIFEST_UNKNOWN: manifest unknown")
    assert is_missing(f"{URL}unexpected status code 404 Not Found")
    assert not is_missing(f"{URL}unexpected status code 503 Service Unavailable: MANIFEST_UNKNOWN")
    assert not is_missing(f"{URL}UNKNOWN: unknown error")
    assert not is_missing("GET https://r.example/v2/404/manifests/NAME_UNKNOWN: EOF")
