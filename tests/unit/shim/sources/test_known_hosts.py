import base64
import hashlib
import hmac
import struct

import pytest
from kaniko_shim.sources.git.known_hosts import keys_of, parse_known_hosts
from kaniko_shim.sources.git.ssh_access import parse_private_key


def key(kind: str, content: bytes = b"key") -> bytes:
    return struct.pack(">I", len(kind)) + kind.encode() + content


def line(names: str, kind: str = "ssh-ed25519", content: bytes = b"key") -> str:
    return f"{names} {kind} {base64.b64encode(key(kind, content)).decode()}"


def hashed(name: str) -> str:
    salt = b"salt"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("names", "host", "port", "found"),
    [
        ("h.example", "h.example", 22, True),
        ("h.example", "H.Example", 22, True),
        ("h.example", "h.example", 2222, False),
        ("[h.example]:2222", "h.example", 2222, True),
        ("a,*.example,!bad.example", "good.example", 22, True),
        ("a,*.example,!bad.example", "bad.example", 22, False),
        ("h?.example", "h1.example", 22, True),
        ("h.example", "hxexample", 22, False),
        (hashed("h.example"), "h.example", 22, True),
        (hashed("[h.example]:2222"), "h.example", 2222, True),
        (hashed("h.example"), "g.example", 22, False),
        ("|1|x", "h.example", 22, False),
    ],
)
def test_which_hosts_a_line_covers(names: str, host: str, port: int, found: bool):  # noqa: FBT001
    known = parse_known_hosts(f"# comment\n\n{line(names)} me@there\n")
    assert keys_of(known, host, port) == ({key("ssh-ed25519"): "ssh-ed25519"} if found else {})


def test_a_revoked_key_is_none():
    known = parse_known_hosts(f"{line('*')}\n@revoked {line('h.example')}\n{line('h.example', 'ssh-rsa', b'other')}\n")
    assert keys_of(known, "h.example", 22) == {key("ssh-rsa", b"other"): "ssh-rsa"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("h.example ssh-ed25519", "line 1: write host, type and key"),
        ("\nh.example ssh-ed25519 !", "line 2: the key is not base64"),
        (line("h").replace("ssh-ed25519", "ssh-rsa"), "is not the type before it"),
        ("@cert-authority " + line("h"), "@cert-authority is not supported"),
    ],
)
def test_wrong_lines(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_known_hosts(text)


def test_a_private_key_keeps_its_lines():
    text = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
    assert parse_private_key(" " + text.replace("\n", "\r\n")) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ssh-ed25519 AAAA me", "BEGIN"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "BEGIN"),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA", "cut off"),
    ],
)
def test_what_is_no_private_key(text: str, problem: str):
    with pytest.raises(ValueError, match=problem) as caught:
        parse_private_key(text)
    assert "AAAA" not in str(caught.value)
