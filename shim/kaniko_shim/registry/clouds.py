"""The clouds whose registries are logged in to with the identity of the pod: their hosts and credential helpers."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud.

    Attributes:
        name: its registry, as people call it.
        helper: the credential helper, the part of its program's name behind `docker-credential-`.
        hosts: the hosts of its registries, without a port. The patterns are anchored: some helpers do not check which
            host they are asked for, and their token must not reach another one.
        identity: variables with which a container gets an identity of its own; without any of them, the helper asks
            the machine's metadata server, which answers every container of the pod.
        advice: what gives a pod an identity.
    """

    name: str
    helper: str
    hosts: re.Pattern[str]
    identity: tuple[str, ...]
    advice: str


CLOUDS = (
    Cloud(
        "Amazon ECR",
        "ecr-login",
        re.compile(
            r"\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9][a-z0-9-]*"
            r"\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn))"
            r"|public\.ecr\.aws|ecr-public\.aws\.com"
        ),
        (
            "AWS_ACCESS_KEY_ID",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ),
        "connect the pod's ServiceAccount to an IAM role (EKS Pod Identity or IRSA) that may use the repository",
    ),
    Cloud(
        "Google Artifact Registry",
        "gcr",
        re.compile(r"(?:[a-z0-9-]+\.)*(?:pkg\.dev|gcr\.io)"),
        ("GOOGLE_APPLICATION_CREDENTIALS",),
        "grant the pod's ServiceAccount a role for the repository (Workload Identity Federation for GKE)",
    ),
    Cloud(
        "Azure Container Registry",
        "acr-env",
        re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.azurecr\.(?:io|cn|us)"),
        ("AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN", "AZURE_FEDERATED_TOKEN_FILE"),
        "label the pod azure.workload.identity/use=true and connect its ServiceAccount to an identity with the role "
        "AcrPush or AcrPull",
    ),
)


def cloud_of(registry: str) -> Cloud | None:
    """The cloud that a registry belongs to.

    Args:
        registry: `host[:port]`.
    """
    host, _, port = registry.partition(":")
    if port and port != "443":
        return None
    return next((cloud for cloud in CLOUDS if cloud.hosts.fullmatch(host.lower())), None)
