from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.registry.cache_repo import infer_cache_repo, parse_cache_repo
from kaniko_shim.registry.references import parse_output
from kaniko_shim.registry.registries import RegistryMap
from kaniko_shim.request.build_args import (
    BuildArg,
    BuildArgOrigin,
    parse_build_args,
    parse_secret_origins,
    resolve_origins,
)
from kaniko_shim.request.registry_lists import parse_maps, parse_mirrors, parse_registries
from kaniko_shim.request.scalars import count_up_to, parse_seconds, parse_sha256, parse_switch

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def encode(arguments: list[BuildArg]) -> str:
    return ",".join(b64encode(f"{each.name}={each.value}".encode()).decode() for each in arguments)


@pytest.mark.shows("A17")
@given(st.lists(st.builds(BuildArg, NAMES, VALUES)))
def test_build_args_come_back_as_they_went_in(arguments: list[BuildArg]):
    assert parse_build_args(encode(arguments)) == tuple(arguments)


@given(st.text())
def test_any_text_is_build_args_or_a_value_error(text: str):
    with suppress(ValueError):
        parse_build_args(text)


def test_build_args_may_lack_padding_and_have_blanks_between():
    assert parse_build_args(" QT0x ,QT0x,, ") == (BuildArg("A", "1"), BuildArg("A", "1"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A=1", "item 1: write the base64"),
        ("QT0x," + b64encode(b"novalue").decode(), "item 2: there is no ="),
        (b64encode(b"=x").decode(), "item 1: a name may contain"),
        (b64encode(b"a b=x").decode(), "item 1: a name may contain"),
        (b64encode(b"a=\0").decode(), "NUL"),
        (b64encode(b"a=\xff").decode(), "item 1: write the base64"),
    ],
)
def test_wrong_build_args_are_named_by_number(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_build_args(text)


def test_origins():
    origins = parse_secret_origins("NPM_TOKEN=BUILD_ARG_VALUE_0, GIT_TOKEN = T ")
    assert origins == (BuildArgOrigin("NPM_TOKEN", "BUILD_ARG_VALUE_0"), BuildArgOrigin("GIT_TOKEN", "T"))
    assert resolve_origins(origins, {"BUILD_ARG_VALUE_0": "", "T": "x"}) == (
        BuildArg("NPM_TOKEN", ""),
        BuildArg("GIT_TOKEN", "x"),
    )
    with pytest.raises(ValueError, match="has no BUILD_ARG_VALUE_0, T;"):
        resolve_origins(origins, {})


@pytest.mark.shows("A16")
@pytest.mark.parametrize(
    "name",
    [
        *("HOME", "PATH", "DOCKER_CONFIG", "KANIKO_DIR", "FF_KANIKO_X", "SSL_CERT_DIR", "http_proxy", "HTTPS_PROXY"),
        *("GOOGLE_APPLICATION_CREDENTIALS", "container", "AWS_SECRET_ACCESS_KEY", "LD_PRELOAD", "GODEBUG"),
    ],
)
def test_names_that_the_executor_reads_are_refused(name: str):
    with pytest.raises(ValueError, match="that the executor uses itself"):
        parse_secret_origins(f"{name}=X")


@pytest.mark.parametrize(
    ("text", "problem"), [("A", "write ARGUMENT="), ("A=", "write"), ("1A=X", "name"), ("A=X,A=Y", "twice")]
)
def test_wrong_origins(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_secret_origins(text)


@pytest.mark.parametrize(("text", "seconds"), [("336h", 1209600), ("1h30m", 5400), ("90", 90), ("1.5s", 2), ("", None)])
def test_seconds(text: str, seconds: int | None):
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["x", "3x", "-1h", "0", "1h 2m", "500ms", "9" * 400, "9999999999h", "315360001", "٣s"])
def test_wrong_seconds(text: str):
    with pytest.raises(ValueError, match="write"):
        parse_seconds(text)


def test_switches_counts_and_checksums():
    assert [parse_switch(text) for text in ("true", "1", " Yes", "false", "0", "OFF")] == [True] * 3 + [False] * 3
    assert [count_up_to(7)(text) for text in (" 7 ", "1", "007")] == [7, 1, 7]
    assert parse_sha256("SHA256:".lower() + "AB" * 32) == "ab" * 32
    with pytest.raises(ValueError, match="write true or false"):
        parse_switch("maybe")
    for text in ("0", "-1", "\u0661", "8", "9" * 5000, "1.5", ""):
        with pytest.raises(ValueError, match="write a whole number from 1 to 7"):
            count_up_to(7)(text)
    with pytest.raises(ValueError, match="64 hexadecimal"):
        parse_sha256("ab")


def test_lists_of_registries():
    assert parse_registries("a.example;b.example:5000, c.example;;a.example") == (
        "a.example",
        "b.example:5000",
        "c.example",
    )
    with pytest.raises(ValueError, match=r"'http://b\.example': write"):
        parse_registries("a.example;http://b.example")


def test_mirrors_and_maps():
    assert parse_mirrors("m.example,n.example/hub") == ("m.example", "n.example/hub")
    assert parse_maps("gcr.io=m.example/gcr,gcr.io=n.example,docker.io=o.example/hub") == (
        RegistryMap("gcr.io", "m.example/gcr"),
        RegistryMap("gcr.io", "n.example"),
        RegistryMap("index.docker.io", "o.example/hub"),
    )


@pytest.mark.parametrize(
    "text", ["gcr.io", "=m.example", "gcr.io=", "a=b=c", "gcr.io=https://m", "g c=m", "gcr.io=m;x=y"]
)
def test_wrong_maps(text: str):
    with pytest.raises(ValueError, match=r"write|host|mirror|comma"):
        parse_maps(text)


def test_mirrors_are_joined_by_commas():
    with pytest.raises(ValueError, match="comma"):
        parse_mirrors("a.example;b.example")


def test_cache_repositories():
    assert parse_cache_repo("") == ""
    assert parse_cache_repo("r.example/team/cache") == "r.example/team/cache"
    assert parse_cache_repo("user/cache") == "index.docker.io/user/cache"
    assert parse_cache_repo("oci:/cache/layers") == "oci:/cache/layers"
    assert infer_cache_repo(parse_output("r.example/team/app:1")) == "r.example/team/app/cache"
    assert infer_cache_repo(parse_output("user/app:1")) == "index.docker.io/user/app-cache"


@pytest.mark.parametrize(
    "text", ["my.registry", "r.example/app:tag", "oci:cache", "oci:/cache", "oci:/Cache/x", "http://r/x"]
)
def test_wrong_cache_repositories(text: str):
    with pytest.raises(ValueError, match="write"):
        parse_cache_repo(text)
