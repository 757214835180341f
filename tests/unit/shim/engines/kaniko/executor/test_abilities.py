import pytest
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.executor.abilities import Abilities, read_abilities

VERSION = "Kaniko version :  v1.28.3\n"
HELP = """
Flags:
      --build-arg multi-arg type                  ARG values
  -c, --context string                            Path (default "/workspace/")
      --secret string                             RUN --mount=type=secret
Global Flags:
  -h, --help                                      help for executor
"""
OLD = frozenset({"build-arg", "context"})


def test_they_are_read_from_what_the_executor_says():
    abilities = read_abilities(VERSION + HELP)
    assert abilities == Abilities(frozenset({"build-arg", "context", "secret", "help"}), (1, 28, 3))
    assert abilities.support == Support()
    assert Abilities(OLD).support == Support(is_old=True)


@pytest.mark.parametrize("said", ["", "Kaniko version :  v0.0.0-unset-8\n", "Kaniko version :  main\n"])
def test_a_build_by_hand_has_an_unknown_version(said: str):
    abilities = read_abilities(said + HELP)
    assert abilities.version is None
    assert abilities.support == Support()
    assert not abilities.is_too_early


def test_a_version_that_lacks_what_the_shim_needs_is_too_early():
    assert Abilities(frozenset({"secret"}), (1, 28, 1)).is_too_early
    assert not Abilities(frozenset({"secret"}), (1, 28, 2)).is_too_early
    assert not Abilities(OLD, (1, 25, 0)).is_too_early


@pytest.mark.parametrize(
    ("abilities", "name"),
    [
        (Abilities(frozenset({"secret"}), (1, 28, 3)), "osscontainertools/kaniko v1.28.3"),
        (Abilities(frozenset({"secret"})), "osscontainertools/kaniko of an unknown version"),
        (Abilities(OLD, (1, 25, 0)), "chainguard-dev/kaniko v1.25.0"),
        (Abilities(OLD, (1, 24, 0)), "GoogleContainerTools/kaniko v1.24.0"),
    ],
)
def test_it_has_a_name_for_people(abilities: Abilities, name: str):
    assert abilities.name == name
