"""The CRD knows the names that kaniko-shim knows: of secret build arguments, and of the executor's flags."""

import re
from pathlib import Path

import pytest
from kaniko_shim.request.build_args import _OWN_NAMES
from kaniko_shim.request.extra_args import ALLOWED

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
