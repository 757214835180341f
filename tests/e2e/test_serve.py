"""kubectl imagebuild serve follows a build on a real cluster: docs/how-to/serve.md."""

from collections.abc import Iterator

import pytest
from functional.kube import Builds, Kubectl, spec
from functional.served_page import Served, opened, serving
from support.browser import Browser, running_browser
from support.registry import Registry

DOCKERFILE = """\
FROM busybox
RUN echo first-output
COPY data /
RUN for i in $(seq 200); do echo line $i; done; sleep 2; echo last-output
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running_browser(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture(scope="module")
def served(kubectl: Kubectl) -> Iterator[Served]:
    with serving(kubectl.kubeconfig) as started:
        yield started


def inline(registry: Registry, namespace: str, dockerfile: str) -> dict[str, object]:
    source = {"inline": {"files": {"Dockerfile": dockerfile, "data": "x"}}}
    return spec(source=source, output={"images": [f"{registry.name}/{namespace}/app:1"]})


def test_a_build_is_followed_to_its_digest(
    browser: Browser, served: Served, builds: Builds, namespace: str, registry: Registry
):
    builds.create(inline(registry, namespace, DOCKERFILE), "app")
    with opened(browser, served, f"/{namespace}/app") as page:
        page.until("document.querySelector('.lines').innerText.includes('first-output')", timeout=120)
        page.until("document.querySelector('.lines').innerText.includes('line 200')")
        page.until("document.querySelectorAll('.waterfall .step').length === 4")
        page.until("document.querySelector('.badge').innerText === 'Succeeded'", timeout=120)
        page.until_text(".lines", "last-output")
        page.until_text(".images", registry.digest(f"{registry.name}/{namespace}/app:1"))
        shown = page.text(".waterfall")
        assert "Running the Dockerfile" in shown
        assert "Pushing" in shown
        assert "COPY data /" in shown


def test_a_failing_step_is_shown_with_its_lines(
    browser: Browser, served: Served, builds: Builds, namespace: str, registry: Registry
):
    builds.create(inline(registry, namespace, "FROM busybox\nRUN true\nRUN echo why; exit 3\n"), "app")
    with opened(browser, served, f"/?namespace={namespace}") as page:
        page.until("document.querySelector('.builds tr.failed') !== null", timeout=120)
        page.click(".builds .name")
        page.until_text(".failure", "RunCommandFailed")
        assert page.text(".code-line.failed") == "RUN echo why; exit 3"
        page.until_text(".lines", "why")
        page.until("document.querySelector('.waterfall .step.failed') !== null")
