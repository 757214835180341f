"""The commands, and what it costs to start them."""

import subprocess
import sys

import pytest
from kubectl_imagebuild.app import COMMANDS, load

#: What takes long to import and is not needed to answer --help or a shell's completion of commands.
HEAVY = {"aiohttp", "kubernetes", "rich", "ssl", "yaml"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_has_the_first_paragraph_of_the_help_of_each(name: str):
    first = load(name).help.partition("\n\n")[0]
    assert " ".join(first.split()) == COMMANDS[name][1]


def loaded(code: str) -> set[str]:
    """The modules that a new interpreter has after some code."""
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_the_program_starts_without_what_takes_long_to_import():
    seen = loaded("import kubectl_imagebuild.__main__")
    assert "kubectl_imagebuild.app" in seen
    assert not seen & HEAVY


def test_the_sdk_imports_what_is_used():
    assert not loaded("from imagebuild import Build, ImageBuildError, image_build") & HEAVY
    assert "aiohttp" in loaded("from imagebuild import AsyncClient")
