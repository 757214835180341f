"""Creates builds, with the Secret that holds the values of their build secrets."""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from imagebuild.build import Build
from imagebuild.build_secrets import secret_name, secret_of, with_secrets
from imagebuild.connection import Connection
from imagebuild.errors import ForbiddenError, ImageBuildError
from imagebuild.names import BUILDS_PATH

#: Unknown fields are errors.
STRICT: Final = {"fieldValidation": "Strict"}


async def create(
    connection: Connection, namespace: str, manifest: Mapping[str, Any], values: Mapping[str, bytes]
) -> Build:
    """Create a build, and the Secret of its build secrets.

    The Secret belongs to the build, which thus has to be created first. Whether the Secret can be created is asked
    before that, and the build waits for it.

    Args:
        connection: The API server.
        namespace: Namespace of the build.
        manifest: The build.
        values: Values of build secrets, by id.

    Raises:
        ForbiddenError: the user may not create Secrets, or not the build.
    """
    builds = BUILDS_PATH.format(namespace)
    if not values:
        return Build(await connection.call("POST", builds, dict(manifest), STRICT))
    name = secret_name(manifest, secrets.token_hex(4))
    whole = with_secrets(manifest, name, values)
    await _create_secret(connection, namespace, secret_of(name, values), {"dryRun": "All"})
    build = Build(await connection.call("POST", builds, whole, STRICT))
    try:
        await _create_secret(connection, namespace, secret_of(name, values, build), {})
    except (ImageBuildError, asyncio.CancelledError):
        # It would wait for its Secret.
        with suppress(ImageBuildError):
            await connection.call("PATCH", f"{builds}/{build.name}", {"spec": {"cancel": True}})
        raise
    return build


async def _create_secret(
    connection: Connection, namespace: str, secret: dict[str, Any], query: Mapping[str, str]
) -> None:
    try:
        await connection.call("POST", f"/api/v1/namespaces/{namespace}/secrets", secret, query)
    except ForbiddenError as error:
        message = f"You may not create the Secret for the build secrets in namespace {namespace}: {error.message}"
        hint = "Ask an administrator for the ClusterRole edit, or use a Secret that exists."
        raise ForbiddenError(error.status, message, hint) from error
