"""Reads the build secrets that are mounted as files."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.request.build_secrets import BuildSecret, check_id

LARGEST = 1024 * 1024
"""Maximum size of a secret in bytes, as in Kubernetes."""


def with_secret_files(given: Iterable[BuildSecret], directory: Path) -> tuple[BuildSecret, ...]:
    """The build secrets of the variables, and those of a directory's files.

    Raises:
        JobError: InvalidSpec; a file cannot be used, or its secret is also given by a variable.
    """
    secrets = {secret.id: secret for secret in given}
    for secret in _read(directory):
        if secret.id in secrets:
            raise _wrong(f"{directory / secret.id}: a variable also gives the secret {secret.id!r}", "Use one of them.")
        secrets[secret.id] = secret
    return tuple(secrets.values())


def _read(directory: Path) -> Iterator[BuildSecret]:
    try:
        # Names that begin with two dots are Kubernetes' own, in a volume.
        names = sorted(name for name in os.listdir(directory) if not name.startswith(".."))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _wrong(f"{directory} can't be read: {error.strerror}", "Mount a directory of files there.") from error
    for name in names:
        path = directory / name
        try:
            yield BuildSecret(check_id(name), _content(path))
        except ValueError as error:
            raise _wrong(f"{path}: {error}", "Rename the file.") from error


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise _wrong(f"{path} is not a file", "Mount each build secret as a file.")
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise _wrong(f"{path} can't be read: {error.strerror}", "Check the file's mode.") from error
    if len(content) > LARGEST:
        raise _wrong(f"{path} has more than {LARGEST} bytes", "A build secret is at most 1 MiB.")
    return content


def _wrong(problem: str, hint: str) -> JobError:
    return JobError(Reason.INVALID_SPEC, f"{problem}.", hint=hint)
