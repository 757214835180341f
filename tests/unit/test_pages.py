"""What `make lint` finds in the pages that people read."""

import re
from pathlib import Path

import check_pages
import pages
import pytest

CONSOLE = """\
```console
$ kubectl apply -f - <<'EOF'
kind: $ Not a prompt
EOF
created
$ docker run --rm \\
    image
$ echo done
done
```
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one page to fill."""
    for module in (pages, check_pages):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_x.py").write_text('"""The commands of README.md."""')
    (tmp_path / "other.md").write_text("# A `b --c`\n\n# A `b --c`\n\n## Über uns?\n")
    return tmp_path


def problems(root: Path, text: str) -> str:
    (root / "README.md").write_text(text)
    found = [*check_pages.check_links("README.md"), *check_pages.check_blocks("README.md")]
    return "\n".join(re.sub(r"^README.md(:\d+)?: ", "", problem) for problem in found)


def test_the_commands_of_a_console_are_what_follows_the_prompt(root: Path):
    (root / "README.md").write_text(CONSOLE)
    [block] = pages.blocks("README.md")
    assert block.commands() == (
        "kubectl apply -f - <<'EOF'\nkind: $ Not a prompt\nEOF\ndocker run --rm \\\n    image\necho done\n"
    )


@pytest.mark.parametrize("mark", ["run: e2e", "tested: tests/test_x.py", "not run: it needs a cloud"])
def test_a_block_with_a_mark_is_right(root: Path, mark: str):
    assert problems(root, f"<!-- {mark} -->\n{CONSOLE}") == ""


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("", "needs one of these comments"),
        ("<!-- run: later -->", "needs one of these comments"),
        ("<!-- not run: -->", "needs one of these comments"),
        ("<!-- values -->", "needs one of these comments"),
        ("<!-- run: e2e -->\n\nA paragraph.\n", "needs one of these comments"),
        ("<!-- run: images -->", "tests/images/test_pages.py does not exist"),
        ("<!-- tested: tests/test_y.py -->", "tests/test_y.py does not exist"),
    ],
)
def test_a_block_without_a_right_mark_is_found(root: Path, mark: str, message: str):
    assert message in problems(root, f"{mark}\n{CONSOLE}")


@pytest.mark.parametrize("order", ["imagebuild/a --for=condition=Succeeded", "--for=condition=Succeeded imagebuild/a"])
def test_a_wait_that_a_failure_would_not_end_is_found(root: Path, order: str):
    page = "<!-- run: e2e -->\n```console\n$ true\n$ kubectl wait {}\n```\n"
    assert "wait for Finished" in problems(root, page.format(order))
    assert problems(root, page.format(f"{order} --timeout=0")) == ""


def test_a_test_names_the_page_that_it_tests(root: Path):
    (root / "docs.md").write_text(f"<!-- tested: tests/test_x.py -->\n{CONSOLE}")
    [problem] = check_pages.check_blocks("docs.md")
    assert "does not name docs.md" in problem


def test_manifests_of_known_kinds_need_no_mark(root: Path):
    ours = "apiVersion: imagebuild.dev/v1alpha1\nkind: ImageBuild\n"
    assert problems(root, f"```yaml\n{ours}---\napiVersion: apps/v1\nkind: Deployment\n```\n") == ""
    assert "needs one" in problems(root, f"```yaml\n{ours}---\napiVersion: kueue.x-k8s.io/v1beta1\nkind: Q\n```\n")
    assert "needs one" in problems(root, "```yaml\nreplicas: 1\n```\n")


def test_links_lead_to_files_and_headings(root: Path):
    assert (
        problems(root, "[a](other.md) [b](other.md#a-b---c-1) [c](other.md#über-uns) [d](https://example.com/x)") == ""
    )
    assert "leads to nothing" in problems(root, "[a](missing.md)")
    assert "does not have" in problems(root, "[a](other.md#missing)")
    assert "does not have" in problems(root, "# Here\n\n[a](#there)")
