"""Which files hold credentials: told by their names first, and by their contents only then."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# A variable, a template or a note in place of the value.
_VALUE = rb"(?![ \t\"']*(?:$|[$<%#]|\{\{))[ \t\"']*[^\s\"']"
_KEY = re.compile(rb"^-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----", re.MULTILINE)
_KEY_NAMES = re.compile(r"id_[a-z0-9_]+|.*[_-](?:rsa|dsa|ecdsa|ed25519)|.*deploy[_-]key.*|identity")


@dataclass(frozen=True, slots=True)
class CredentialKind:
    """One kind of file.

    Attributes:
        what: what such a file holds, for messages.
        names: matches a path from its last two names on, in lower case.
        holds: whether a content has such a credential; it may be cut.
    """

    what: str
    names: re.Pattern[str]
    holds: Callable[[bytes], bool]


def find_kinds(path: str) -> list[CredentialKind]:
    """The kinds that a file may be, by its path relative to the context."""
    directory, _, name = path.lower().rpartition("/")
    parent = directory.rpartition("/")[2]
    if not _LIKELY.search(name) and parent not in _DIRECTORIES:
        return []
    return [kind for kind in _KINDS if kind.names.fullmatch(f"{parent}/{name}")]


def _lines(expression: bytes) -> Callable[[bytes], bool]:
    search = re.compile(expression, re.MULTILINE | re.IGNORECASE).search
    return lambda content: search(content) is not None


def _docker_config(content: bytes) -> bool:
    """Whether a Docker config has a login, and not only the name of a helper that has it."""
    whole = _object(content)
    entries = whole.get("auths", whole)
    fields = ("auth", "password", "identitytoken", "registrytoken")
    return isinstance(entries, Mapping) and any(
        isinstance(entry, Mapping) and any(isinstance(entry.get(each), str) and entry[each] for each in fields)
        for entry in entries.values()
    )


def _composer(content: bytes) -> bool:
    whole = _object(content)
    return any(whole.get(each) for each in ("http-basic", "bearer", "github-oauth", "gitlab-oauth", "gitlab-token"))


def _object(content: bytes) -> Mapping[str, object]:
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return whole if isinstance(whole, Mapping) else {}


def _private_key(content: bytes) -> bool:
    return _KEY.search(content) is not None


def _of(names: str) -> re.Pattern[str]:
    return re.compile(f"(?:[^/]*/)?(?:{names})", re.DOTALL)


_KINDS = (
    CredentialKind(
        "registry password", _of(r"config\.json|auth\.json|\.dockercfg|\.?dockerconfig(?:\.?json)?"), _docker_config
    ),
    CredentialKind("Composer password", _of(r"auth\.json"), _composer),
    CredentialKind("password", _of(r"[._]netrc"), _lines(rb"\bpassword\s+" + _VALUE)),
    CredentialKind(
        "private key",
        re.compile(rf"[^/]*/(?:{_KEY_NAMES.pattern})(?<!\.pub)|\.ssh/[^/]*(?<!\.pub)", re.DOTALL),
        _private_key,
    ),
    CredentialKind("private key", _of(r".*\.(?:pem|key|ppk)"), _lines(rb"^-----BEGIN OPENSSH PRIVATE KEY-----")),
    CredentialKind(
        "npm token", _of(r"\.(?:npmrc|yarnrc)"), _lines(rb"(?:_authtoken|_auth|_password)\"?(?:[ \t]*=|[ \t])" + _VALUE)
    ),
    CredentialKind("npm token", _of(r"\.yarnrc\.yml"), _lines(rb"\bnpmauth(?:token|ident)[ \t]*:" + _VALUE)),
    CredentialKind("Git password", _of(r"\.git-credentials"), _lines(rb"^[ \t]*[a-z]+://[^/\s:@]+:" + _VALUE)),
    CredentialKind(
        "Git password",
        re.compile(r"\.git/config|[^/]*/\.gitconfig"),
        _lines(
            rb"^[ \t]*url[ \t]*=[ \t]*https?://[^/\s:@]+:"
            + _VALUE
            + rb"|^[ \t]*extraheader[ \t]*=[ \t]*authorization:"
            + _VALUE
        ),
    ),
    CredentialKind("package index password", _of(r"\.pypirc"), _lines(rb"^[ \t]*password[ \t]*[=:]" + _VALUE)),
    CredentialKind(
        "package index password",
        _of(r"pip\.(?:conf|ini)"),
        _lines(rb"^[ \t]*(?:extra-)?index-url[ \t]*[=:][ \t]*https?://[^/\s:@]+:" + _VALUE),
    ),
    CredentialKind(
        "AWS key", re.compile(r"\.aws/credentials"), _lines(rb"^[ \t]*aws_secret_access_key[ \t]*=" + _VALUE)
    ),
    CredentialKind(
        "Google Cloud key",
        _of(r"application_default_credentials\.json|.*service[_-]?account.*\.json|.*credentials.*\.json|key\.json"),
        _lines(rb"\"(?:private_key|refresh_token)\"[ \t]*:" + _VALUE),
    ),
    CredentialKind(
        "Kubernetes credential",
        re.compile(r"\.kube/config|[^/]*/(?:.*\.)?kubeconfig(?:\.ya?ml)?"),
        _lines(rb"^[ \t]*(?:-[ \t]+)?\"?(?:client-key-data|token|password)\"?[ \t]*:" + _VALUE),
    ),
    CredentialKind(
        "Cargo token",
        re.compile(r"\.cargo/credentials(?:\.toml)?"),
        _lines(rb"^[ \t]*(?:secret-)?token[ \t]*=" + _VALUE),
    ),
)
# Names that none of the kinds has are the rule, and are to cost little.
_LIKELY = re.compile(
    r"^id_|_rsa|-rsa|dsa|25519|deploy|identity|netrc|config|credentials|account|^auth\.json|^key\.json|pypirc|npmrc|yarnrc"
    r"|^pip\.|\.pem$|\.key$|\.ppk$|dockercfg"
)
_DIRECTORIES = frozenset({".ssh", ".aws", ".kube", ".cargo", ".git"})
