import json
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.registry.docker_config import DockerConfig, merge, parse_docker_config, write

AUTH = b64encode(b"user:p:ss").decode()


def test_json_and_base64_are_the_same():
    text = json.dumps({"auths": {"r.example": {"auth": AUTH}}})
    expected = DockerConfig({"r.example": {"auth": AUTH}})
    assert parse_docker_config(text) == expected
    wrapped = "\n".join(b64encode(text.encode()).decode()[i : i + 20] for i in range(0, 200, 20))
    assert parse_docker_config(wrapped) == expected
    assert parse_docker_config("  ") is None


@pytest.mark.parametrize("key", ["docker.io", "index.docker.io", "https://index.docker.io/v1/", "https://docker.io"])
def test_docker_hub_has_one_key(key: str):
    config = parse_docker_config(json.dumps({"auths": {key: {"username": "u", "password": "p"}}}))
    assert config == DockerConfig({"https://index.docker.io/v1/": {"username": "u", "password": "p"}})


def test_the_first_config_wins_per_registry():
    first = DockerConfig({"a": {"auth": "1"}}, {"h": "x"})
    second = DockerConfig({"a": {"auth": "2"}, "b": {"auth": "3"}}, {"h": "y", "i": "z"}, "store")
    assert merge(first, second) == DockerConfig({"a": {"auth": "1"}, "b": {"auth": "3"}}, {"h": "x", "i": "z"}, "store")
    assert merge(None, second) == merge(second, None) == second
    assert merge(None, None) is None


def test_an_entry_without_credentials_hides_none():
    empty, full = DockerConfig({"a": {"email": "x"}, "b": {}}), DockerConfig({"a": {"auth": AUTH}})
    merged = merge(empty, full)
    assert merged == DockerConfig({"a": {"auth": AUTH}, "b": {}})
    assert (merged.has_login("a"), merged.has_login("b"), merged.login("b", "x")) == (True, False, None)


@pytest.mark.parametrize("key", ["docker.io", "index.docker.io", "https://index.docker.io/v1/"])
def test_helpers_are_found_by_registry(key: str):
    config = parse_docker_config(json.dumps({"credHelpers": {key: "pass", "r.example:5000": "ecr-login"}}))
    assert config is not None
    assert (config.helper("index.docker.io"), config.helper("r.example:5000")) == ("pass", "ecr-login")
    assert config.helper("other.example") == ""


def test_every_secret_is_known():
    config = DockerConfig({"a": {"auth": AUTH}, "b": {"username": "u", "password": "pw", "identitytoken": "tok"}})
    assert set(config.secrets()) == {AUTH, "p:ss", "pw", "tok"}
    assert config.registries() == {"a", "b"}


def test_it_is_written_for_its_owner_only(tmp_path: Path):
    directory = tmp_path / "docker"
    for _ in range(2):
        write(DockerConfig({"a": {"auth": AUTH}}, {"h": "x"}, "s"), directory)
    path = directory / "config.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {
        "auths": {"a": {"auth": AUTH}},
        "credHelpers": {"h": "x"},
        "credsStore": "s",
    }
    assert [item.name for item in directory.iterdir()] == ["config.json"]


@pytest.mark.shows("A35")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("secret-words", "write the JSON"),
        ("{", "not JSON"),
        ("[]", "write the JSON"),
        (b64encode(b'["secret"]').decode(), "JSON object"),
        ('{"auths": []}', '"auths" is not a JSON object'),
        ('{"auths": {"r": "secret"}}', '"auths" of r is not a JSON object'),
        ('{"auths": {"r": {"auth": "secret"}}}', "not the base64 of user:password"),
        ('{"auths": {"r": {"password": 1}}}', "password in"),
        ('{"credHelpers": {"r": 1}}', '"credHelpers" of r'),
        ('{"credsStore": 1}', '"credsStore"'),
        ('{"credsStore": "a/../secret"}', '"credsStore": a credential helper is named by'),
        ('{"credHelpers": {"r": "/bin/secret"}}', '"credHelpers" of r: a credential helper is named by'),
    ],
)
def test_wrong_configs_are_not_quoted(text: str, problem: str):
    with pytest.raises(ValueError, match=problem) as caught:
        parse_docker_config(text)
    assert "secret" not in str(caught.value)


@given(
    st.text()
    | st.recursive(st.none() | st.text() | st.integers(), lambda x: st.dictionaries(st.text(), x)).map(json.dumps)
)
def test_any_text_is_a_config_or_a_value_error(text: str):
    try:
        parse_docker_config(text)
    except ValueError:
        return


@pytest.mark.parametrize("text", ["{}", '{"psFormat": "x", "HttpHeaders": {"User-Agent": "x"}}', '{"auths": {}}'])
def test_a_config_without_credentials_is_that_of_an_anonymous_user(text: str):
    for form in (text, b64encode(text.encode()).decode()):
        assert parse_docker_config(form) == DockerConfig()


@pytest.mark.parametrize(
    "document", [{"r.example": {"auth": AUTH}}, {"r.example": {}}, {"registry": {"username": "u", "password": "p"}}]
)
def test_credentials_that_docker_would_overlook_are_refused(document: dict[str, object]):
    with pytest.raises(ValueError, match=r'credentials for r.* outside "auths"') as caught:
        parse_docker_config(json.dumps(document))
    assert AUTH not in str(caught.value)
