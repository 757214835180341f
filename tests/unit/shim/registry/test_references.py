import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.registry.references import ImageReference, parse_mirror, parse_output, parse_reference, parse_registry


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("busybox", ImageReference("index.docker.io", "library/busybox", "latest")),
        ("user/app:1.0", ImageReference("index.docker.io", "user/app", "1.0")),
        ("docker.io/user/app", ImageReference("index.docker.io", "user/app", "latest")),
        ("registry.example/app", ImageReference("registry.example", "app", "latest")),
        ("registry.example:5000/a1/b2:t", ImageReference("registry.example:5000", "a1/b2", "t")),
        ("localhost:5000/app", ImageReference("localhost:5000", "app", "latest")),
        ("[::1]:5000/app", ImageReference("[::1]:5000", "app", "latest")),
        ("r.example/a/b__c--d.e_f:T_1.-x", ImageReference("r.example", "a/b__c--d.e_f", "T_1.-x")),
        (f"r.example/app@sha256:{'a' * 64}", ImageReference("r.example", "app", "", f"sha256:{'a' * 64}")),
        (f"r.example/app:1@sha256:{'a' * 64}", ImageReference("r.example", "app", "1", f"sha256:{'a' * 64}")),
    ],
)
def test_references(text: str, expected: ImageReference):
    assert parse_reference(f" {text}\n") == expected
    assert parse_reference(expected.name) == expected


@pytest.mark.shows("A15")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("https://r.example/app", "without a scheme"),
        ("r.example/App", "lower-case"),
        ("UPPER/app", "lower-case"),
        ("r.example/app:", "tag"),
        ("r.example/app:-x", "tag"),
        (f"r.example/app:{'t' * 129}", "tag"),
        ("r.example/", "no name"),
        ("r.example//app", "lower-case"),
        ("r.example/app@sha256:abc", "digest"),
        ("localhost/app", "localhost:5000/app"),
        ("-r.example/app", "not a registry host"),
        (f"r.example/{'a' * 256}", "255"),
        ("r.example/a", "2 to 255"),
        ("a b", "lower-case"),
        ("", "no name"),
    ],
)
def test_wrong_references_say_what_to_write(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_reference(text)


def test_an_output_has_no_digest():
    with pytest.raises(ValueError, match="pushed to a tag"):
        parse_output(f"r.example/app@sha256:{'a' * 64}")


@given(st.text())
def test_any_text_is_a_reference_or_a_value_error(text: str):
    try:
        reference = parse_reference(text)
    except ValueError:
        return
    assert parse_reference(reference.name) == reference


@pytest.mark.parametrize("text", ["r.example", "r.example:5000", "10.0.0.1:5000", "localhost", "[fd00::1]:443"])
def test_registries(text: str):
    assert parse_registry(f" {text} ") == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("http://r.example", "without http://"),
        ("r.example/path", "without the path /path"),
        ("a b", "host"),
        ("", "host"),
    ],
)
def test_wrong_registries(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_registry(text)


def test_mirrors():
    assert parse_mirror("mirror.example:443/docker/hub") == "mirror.example:443/docker/hub"
    for text in ("https://mirror.example", "a b.example", "mirror.example/", "mirror.example/UP", "/x"):
        with pytest.raises(ValueError, match="mirror"):
            parse_mirror(text)
