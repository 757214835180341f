import pytest
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.tool_environment import platform_secrets, tool_environment

SECRET = "s3cret-s3cret"


@pytest.mark.parametrize(
    "name",
    [
        "AZURE_STORAGE_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_CONNECTION_STRING",
        "AZURE_CLIENT_SECRET",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "CI_JOB_TOKEN",
        "CI_REGISTRY_PASSWORD",
    ],
)
def test_the_secrets_of_platforms_are_known(name: str):
    assert SECRET in set(platform_secrets({name: SECRET}))


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ACCESS_KEY_ID",
        "AWS_REGION",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SHARED_CREDENTIALS_FILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "AZURE_CLIENT_ID",
        "AZURE_STORAGE_ACCOUNT",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "CI_REGISTRY_USER",
    ],
)
def test_what_is_no_secret_is_not_masked(name: str):
    assert list(platform_secrets({name: "value"})) == []


def test_the_keys_of_storage_accounts_stay_with_the_shim():
    environment = {
        "AZURE_STORAGE_ACCESS_KEY": SECRET,
        "AZURE_STORAGE_CONNECTION_STRING": f"DefaultEndpointsProtocol=https;AccountKey={SECRET};EndpointSuffix=x",
        "AZURE_CLIENT_ID": "id",
    }
    passed = tool_environment(environment, Paths())
    assert passed["AZURE_CLIENT_ID"] == "id"
    assert SECRET not in str(passed)


def test_the_key_in_a_connection_string_is_masked_by_itself():
    text = f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET};EndpointSuffix=core.windows.net"
    assert SECRET in set(platform_secrets({"AZURE_STORAGE_CONNECTION_STRING": text}))


@pytest.mark.parametrize(
    ("given", "cloud"),
    [
        ({"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/"}, None),
        ({"AZURE_AUTHORITY_HOST": "https://login.chinacloudapi.cn/"}, "AZURECHINACLOUD"),
        ({"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us"}, "AZUREUSGOVERNMENTCLOUD"),
        ({"AZURE_AUTHORITY_HOST": "https://login.chinacloudapi.cn/", "AZURE_ENVIRONMENT": "OWN"}, "OWN"),
        ({}, None),
    ],
)
def test_the_azure_helper_knows_the_cloud_of_the_identity(given: dict[str, str], cloud: str | None):
    assert tool_environment(given, Paths()).get("AZURE_ENVIRONMENT") == cloud
