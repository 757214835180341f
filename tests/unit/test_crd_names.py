"""The CRD refuses the names of secret build arguments that kaniko-shim would refuse."""

from pathlib import Path

from kaniko_shim.build_args import _OWN_NAMES

CRD = Path(__file__).parents[2] / "crds" / "imagebuild.yaml"


def test_both_know_the_same_names() -> None:
    assert f"self.name.matches('^(?:{_OWN_NAMES.pattern})$')" in CRD.read_text()
