"""What users write never becomes code: no shell, no format of a log, no YAML put together from text."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted([*(ROOT / "operator").rglob("*.py"), *(ROOT / "shim/kaniko_shim").rglob("*.py")])
#: Calls that run text, or read it as more than data.
CODE = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput",
    "subprocess.getstatusoutput", "asyncio.create_subprocess_shell", "pickle.loads", "pickle.load", "marshal.loads",
    "yaml.load", "yaml.full_load", "yaml.unsafe_load", "yaml.dump", "yaml.safe_dump",
}  # fmt: skip
#: Python's own ways to write archives to the disk, and programs that take options for names.
UNPACKING = {"extract", "extractall"}
SHELLS = {"sh", "/bin/sh", "bash", "/bin/bash", "git", "ssh"}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.shows("A33")
@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_becomes_code(path: Path):
    for name, call in calls(path):
        assert name not in CODE, (name, call.lineno)
        assert name.rpartition(".")[2] not in UNPACKING or "." not in name, (name, call.lineno)
        assert "shell" not in {keyword.arg for keyword in call.keywords}, (name, call.lineno)
        if name.startswith(("subprocess.", "os.posix_spawn", "os.exec")) and call.args:
            words = [each.value for each in ast.walk(call.args[0]) if isinstance(each, ast.Constant)]
            assert not SHELLS & {word for word in words if isinstance(word, str)}, (name, call.lineno)


@pytest.mark.shows("A33")
@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_logs_have_fixed_formats(path: Path):
    for name, call in calls(path):
        owner, _, level = name.rpartition(".")
        if level in LEVELS and owner.rpartition(".")[2] in {"_logger", "logger", "logging", "_log", "log"}:
            text = call.args[1 if level == "log" else 0]
            assert isinstance(text, ast.Constant), (path.name, call.lineno)
            assert isinstance(text.value, str)
