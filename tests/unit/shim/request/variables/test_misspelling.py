import pytest
from kaniko_shim.request.variables.misspelling import misspelt
from kaniko_shim.request.variables.table import TABLE


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("OUTPUT_IMAGES", "OUTPUT_IMAGE"),
        ("OUTPUTIMAGE", "OUTPUT_IMAGE"),
        ("output_image", "OUTPUT_IMAGE"),
        ("BUILD_ARGS", "BUILD_ARG"),
        ("DOCKERFILE_PAHT", "DOCKERFILE_PATH"),
        ("INSECURE_REGISTRY", None),
        ("CACHE_REPOS", "CACHE_REPO"),
        ("OUTPUT_IMAGE_1", "OUTPUT_IMAGE"),
        ("SOURCE_GET_URI", "SOURCE_GET_URL"),
    ],
)
def test_a_name_that_is_close_to_a_known_one(name: str, known: str | None):
    assert list(misspelt({name: "x"})) == ([(name, known)] if known else [])


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "HOSTNAME", "LANG", "TERM", "USER", "SHLVL", "PWD", "DOCKER_CONFIG", "SSL_CERT_DIR"),
        *(
            "KUBERNETES_SERVICE_HOST",
            "KUBERNETES_PORT_443_TCP",
            "CACHE_PORT",
            "CACHE_SERVICE_PORT_HTTP",
            "AWS_REGION",
            "HTTPS_PROXY",
            "no_proxy",
            "HOSTALIASES",
        ),
        *("CACHE_URL", "TRACESTATE", "TARGETARCH", "SOURCE_DIR"),
        *("DOCKER_CONFIG_JSON_1", "REGISTRY_CA_12", "BUILD_ARG_VALUE_0", "SBOM", "CACHE"),
        *(variable.name for variable in TABLE),
    ],
)
def test_names_that_are_right_or_of_other_programs(name: str):
    assert list(misspelt({name: "x"})) == []


def test_a_variable_that_a_build_argument_names_is_read():
    assert list(misspelt({"BUILD_ARG_FROM": "T=TARGETS", "TARGETS": "x", "BUILD_ARG_FROM_CONFIG": ""})) == []
