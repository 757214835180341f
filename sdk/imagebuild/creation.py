"""Creates builds, with the Secrets that hold their build secrets, their login for pushing and their CA bundle."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from imagebuild_vocabulary.secret_references import secret_references

from imagebuild.build import Build
from imagebuild.build_secrets import (
    CA_KEY,
    DOCKER_CONFIG,
    is_made_name,
    owner_reference,
    secret_name,
    secret_of,
    with_ca,
    with_login,
    with_secrets,
)
from imagebuild.connection import BUILDS_PATH, METADATA_OF_ONE, Connection
from imagebuild.errors import ForbiddenError, ImageBuildError

#: Unknown fields are errors.
STRICT: Final = {"fieldValidation": "Strict"}


async def create(
    connection: Connection,
    namespace: str,
    manifest: Mapping[str, Any],
    values: Mapping[str, bytes],
    login: bytes = b"",
    ca: bytes = b"",
    repeated: Build | None = None,
) -> Build:
    """Create a build, and the Secrets of its build secrets, its login and its CA bundle.

    The Secrets belong to the build, which thus has to be created first. Whether they can be created is asked before
    that, and the build waits for them.

    Args:
        connection: The API server.
        namespace: Namespace of the build.
        manifest: The build.
        values: Values of build secrets, by id.
        login: A Docker config with the credentials for pushing; empty for none.
        ca: Certificates in PEM that the registries of its images are verified with; empty for none.
        repeated: The build that is repeated; its own Secrets stay for the new one.

    Raises:
        ForbiddenError: the user may not create Secrets, or not the build.
    """
    whole, made = dict(manifest), {}
    if values:
        name = secret_name(manifest, secrets.token_hex(4))
        whole, made[name] = with_secrets(whole, name, values), (values, "Opaque")
    if login:
        name, (kind, key) = secret_name(manifest, secrets.token_hex(4)), DOCKER_CONFIG
        whole, made[name] = with_login(whole, name), ({key: login}, kind)
    if ca:
        name = secret_name(manifest, secrets.token_hex(4))
        whole, made[name] = with_ca(whole, name), ({CA_KEY: ca}, "Opaque")
    for name, (data, kind) in made.items():
        await _create_secret(connection, namespace, secret_of(name, data, kind=kind), {"dryRun": "All"})
    build = Build(await connection.call("POST", BUILDS_PATH.format(namespace), whole, STRICT))
    async with _cancelled_if_it_fails(connection, build):
        if repeated is not None:
            await _share_secrets(connection, repeated, build)
        for name, (data, kind) in made.items():
            await _create_secret(connection, namespace, secret_of(name, data, build, kind), {})
    return build


@asynccontextmanager
async def _cancelled_if_it_fails(connection: Connection, build: Build) -> AsyncIterator[None]:
    try:
        yield
    except (ImageBuildError, asyncio.CancelledError):
        # It would wait for its Secret.
        with suppress(ImageBuildError):
            path = f"{BUILDS_PATH.format(build.namespace)}/{build.name}"
            await connection.call("PATCH", path, {"spec": {"cancel": True}})
        raise


async def _share_secrets(connection: Connection, old: Build, new: Build) -> None:
    """Let the Secrets that belong to one build belong to another, too."""
    for name in sorted({name for _, name in secret_references(new.spec) if is_made_name(name)}):
        path = f"/api/v1/namespaces/{new.namespace}/secrets/{name}"
        metadata = (await connection.call("GET", path, accept=METADATA_OF_ONE))["metadata"]
        owners = metadata.get("ownerReferences") or []
        if any(owner.get("uid") == old.uid for owner in owners):
            owners = [*owners, owner_reference(new)]
            patch = {"metadata": {"resourceVersion": metadata["resourceVersion"], "ownerReferences": owners}}
            await connection.call("PATCH", path, patch)


async def _create_secret(
    connection: Connection, namespace: str, secret: dict[str, Any], query: Mapping[str, str]
) -> None:
    try:
        await connection.call("POST", f"/api/v1/namespaces/{namespace}/secrets", secret, query)
    except ForbiddenError as error:
        message = f"You may not create the Secret of a build in namespace {namespace}: {error.message}"
        hint = "Ask an administrator for the ClusterRole edit, or use a Secret that exists."
        raise ForbiddenError(error.status, message, hint) from error
