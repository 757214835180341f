"""Runs a Docker credential helper: a program that prints the credentials for a registry.

https://github.com/docker/docker-credential-helpers
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from kaniko_shim.registry.docker_config import Login
from kaniko_shim.system.json_text import load_json
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.tool_environment import tool_environment

SECONDS = 20
"""A helper that waits longer has no network, such as behind a policy that drops packets to the metadata server."""

NOT_FOUND = "credentials not found in native keychain"
"""What a helper prints if it has no credentials for a registry."""

_LONGEST_PROBLEM = 400
# The user name with which a helper says that its secret is an identity token.
_TOKEN_USER = "<token>"  # noqa: S105 - a user name
_PROBLEM = re.compile(r'level=error .*?\berror="((?:[^"\\]|\\.)*)"')


class HelperError(Exception):
    """A helper gave no credentials; the message says why, and may hold what a server answered.

    Attributes:
        not_found: whether it works, and has none for that registry.
    """

    def __init__(self, message: str, *, not_found: bool = False) -> None:
        super().__init__(message)
        self.not_found = not_found


def program_of(helper: str) -> str:
    """The name of a helper's program."""
    return f"docker-credential-{helper}"


class CredentialHelpers:
    """The helpers in this image."""

    def __init__(self, environment: Mapping[str, str], paths: Paths, seconds: float = SECONDS) -> None:
        """Look for helpers where the executor and crane do."""
        self._environment = tool_environment(environment, paths)
        self._log = paths.helper_state / "log" / "ecr-login.log"
        self._seconds = seconds
        self._hanging = set[str]()

    def has(self, helper: str) -> bool:
        """Whether the helper's program is here."""
        return self._find(helper) is not None

    def get(self, helper: str, key: str) -> Login:
        """Ask a helper.

        Args:
            helper: its name.
            key: the registry, as a Docker config names it.

        Raises:
            HelperError: it has no credentials, or failed.
        """
        program = self._find(helper)
        if program is None:
            raise HelperError("there is no such program in this image")
        if helper in self._hanging:
            raise HelperError("it did not answer before")
        try:
            done = subprocess.run(  # noqa: S603 - a program of the image, without a shell
                [program, "get"],
                input=key,
                env=self._environment,
                capture_output=True,
                timeout=self._seconds,
                check=False,
                text=True,
                errors="replace",
            )
        except subprocess.TimeoutExpired as error:
            self._hanging.add(helper)
            raise HelperError(f"it did not answer within {self._seconds:g} s") from error
        except OSError as error:
            raise HelperError(f"it can't be run: {error.strerror}") from error
        if done.returncode:
            said = done.stdout.strip() or done.stderr.strip()
            raise HelperError(self._problem(said), not_found=said == NOT_FOUND)
        return _login(done.stdout)

    def _find(self, helper: str) -> str | None:
        return shutil.which(program_of(helper), path=self._environment["PATH"])

    def _problem(self, said: str) -> str:
        """What a helper says of its failure; ecr-login has the cause only in its log."""
        if said == NOT_FOUND:
            found = _PROBLEM.findall(_read(self._log))
            said = found[-1].replace('\\"', '"') if found else said
        said = " ".join(said.split()) or "it failed without a word"
        return said if len(said) <= _LONGEST_PROBLEM else said[:_LONGEST_PROBLEM] + "…"


def _login(output: str) -> Login:
    try:
        document: object = load_json(output)
    except ValueError as error:
        raise HelperError("its output is not JSON") from error
    fields = document if isinstance(document, dict) else {}
    user, secret = fields.get("Username"), fields.get("Secret")
    if not isinstance(user, str) or not isinstance(secret, str) or not secret:
        raise HelperError('its output lacks "Username" or "Secret"')
    return Login(identity_token=secret) if user == _TOKEN_USER else Login(user, secret)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
