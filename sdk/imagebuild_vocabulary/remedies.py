"""What helps after some failures, as the builder tells the operator, which says it in the words of the API."""

from enum import StrEnum


class Remedy(StrEnum):
    """A code beside a hint: the hint names variables, which mean nothing to the author of an ImageBuild."""

    #: Correct the user and password of the proxy.
    PROXY_LOGIN = "ProxyLogin"
    #: Give the pod an identity of the registry's cloud, or a password.
    CLOUD_IDENTITY = "CloudIdentity"
    #: Write a Docker config that holds the password itself.
    DOCKER_CONFIG = "DockerConfig"
    #: Name the CA of the server of the context.
    SOURCE_CA = "SourceCA"
    #: Name another base image.
    BASE_IMAGE = "BaseImage"
    #: Give the secret that a RUN mounts.
    BUILD_SECRET = "BuildSecret"  # noqa: S105 - a code
