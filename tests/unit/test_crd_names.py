"""The CRD knows the names that kaniko-shim knows: of secret build arguments, of the executor's flags, of variables."""

import re
from pathlib import Path
from typing import Any

import pytest
from kaniko_shim.request.build_args import _OWN_NAMES
from kaniko_shim.request.extra_args import ALLOWED
from kaniko_shim.request.variables.table import TABLE
from support.specs import spec_schema

CRD = Path(__file__).parents[2] / "crds" / "imagebuild.yaml"


@pytest.mark.shows("A16")
def test_both_refuse_the_same_names() -> None:
    assert f"self.name.matches('^(?:{_OWN_NAMES.pattern})$')" in CRD.read_text()


def test_both_allow_the_same_flags() -> None:
    # These two are about pushing, which another container of the pod does.
    pushing = {"push-ignore-immutable-tag-errors", "skip-push-permission-check"}
    [names] = {
        names for names in re.findall(r"\^--\(\?:([a-z|-]+)\)\(\?:=\|\$\)'", CRD.read_text()) if "|verbosity" in names
    }
    assert set(names.split("|")) == set(ALLOWED) - pushing


@pytest.mark.shows("A16")
def test_variables_of_the_template_never_have_a_meaning_for_the_builder_image() -> None:
    env: dict[str, Any] = spec_schema()["properties"]["env"]
    schema = env["items"]["properties"]["name"]
    [reserved] = {
        pattern
        for rule in schema["x-kubernetes-validations"]
        for pattern in re.findall(r"^!self\.matches\('(.*)'\)$", rule["rule"])
    }
    names = [variable.name for variable in TABLE]
    names += ["DOCKER_CONFIG_JSON_1", "REGISTRY_CA_12", "BUILD_ARG_VALUE_0", "DOCKER_CONFIG", "IMAGEBUILD_SETTINGS"]
    names += ["PATH", "HOME", "LD_PRELOAD", "PYTHONPATH", "PYTHONSTARTUP", "SSL_CERT_DIR", "SSLKEYLOGFILE"]
    names += ["GODEBUG", "http_proxy", "HTTPS_PROXY", "No_Proxy", "GLIBC_TUNABLES", "KANIKO_SHIM_ENVIRONMENT_FD"]
    assert [name for name in names if not re.match(reserved, name)] == []
    useful = ["AWS_REGION", "AWS_ROLE_ARN", "AZURE_CLIENT_ID", "GOOGLE_CLOUD_PROJECT", "CI_REGISTRY_USER", "TARGETS"]
    assert [name for name in useful if re.match(reserved, name)] == []
