"""Which hosts are registries of which cloud."""

import pytest
from kaniko_shim.registry.clouds import cloud_of


@pytest.mark.parametrize(
    "host",
    [
        "123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
        "123456789012.dkr-ecr.eu-central-1.on.aws",
        "123456789012.dkr-ecr-fips.us-east-1.on.aws",
        "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com:443",
        "public.ecr.aws",
        "ecr-public.aws.com",
    ],
)
def test_amazon(host: str):
    cloud = cloud_of(host)
    assert cloud is not None
    assert cloud.helper == "ecr-login"


@pytest.mark.parametrize(
    "host",
    ["gcr.io", "eu.gcr.io", "mirror.gcr.io", "europe-west1-docker.pkg.dev", "docker.europe-west4.rep.pkg.dev"],
)
def test_google(host: str):
    cloud = cloud_of(host)
    assert cloud is not None
    assert cloud.helper == "gcr"


@pytest.mark.parametrize(
    "host",
    ["team.azurecr.io", "Team1.AZURECR.io", "team.azurecr.cn", "team.azurecr.us", "team.westeurope.data.azurecr.io"],
)
def test_azure(host: str):
    cloud = cloud_of(host)
    assert cloud is not None
    assert cloud.helper == "acr-env"


@pytest.mark.shows("A40")
@pytest.mark.parametrize(
    "host",
    [
        "index.docker.io",
        "ghcr.io",
        "mcr.microsoft.com",
        "azurecr.io",
        "team.azurecr.io.attacker.example",
        "team.azurecr.io:8443",
        "attacker.example/team.azurecr.io",
        "gcr.io.attacker.example",
        "notgcr.io",
        "evilpkg.dev",
        "12345678901.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com.attacker.example",
        "123456789012.dkr.ecr.us-east-1.amazonaws.example",
        "public.ecr.aws.attacker.example",
    ],
)
def test_no_other_host_gets_a_token(host: str):
    assert cloud_of(host) is None
