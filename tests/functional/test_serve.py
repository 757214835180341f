"""kubectl imagebuild serve in a browser, with a real API server; the commands of docs/how-to/serve.md."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from functional.kube import Builds, spec
from functional.kubelet import DIGEST, PUSHED, Kubelet, running, terminated
from functional.node import Node, serve_node
from functional.operator_process import OperatorProcess
from functional.served_page import Served, opened, serving
from kubernetes import client
from support.browser import Browser, running_browser

DOCKERFILE = "FROM busybox\nRUN true\nRUN make\nCMD true\n"
FAILURE = {
    "reason": "RunCommandFailed",
    "message": "RUN make failed with exit code 2.",
    "hint": "Read the end of the log.",
    "dockerfileLine": 3,
    "instruction": "RUN make",
    "exitCode": 2,
    "logTail": "make: *** No rule to make target",
}
FAILED = {"phase": "Failed", "reason": "RunCommandFailed", "message": FAILURE["message"], "failure": FAILURE}
ROWS = "[...document.querySelectorAll('.builds tbody tr')].map((row) => row.querySelector('.name').textContent).join()"
CHECKS = (Path(__file__).parents[1] / "support" / "contrast.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running_browser(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture
def node(api: client.ApiClient, namespace: str, tmp_path: Path) -> Iterator[Node]:
    """A node that has logs."""
    with serve_node(api, f"node-{namespace}", tmp_path) as served:
        yield served


@pytest.fixture(scope="session")
def served(kubeconfig: Path, crd: Path) -> Iterator[Served]:
    """The command, for all namespaces."""
    assert crd.exists()
    with serving(kubeconfig) as started:
        yield started


@pytest.fixture
def home(builds: Builds) -> str:
    """The list of the test's namespace."""
    return f"/?namespace={builds.namespace}"


def test_the_list_is_live(browser: Browser, served: Served, builds: Builds, home: str):
    with opened(browser, served, home) as page:
        page.until_text("#connection", "Live")
        builds.create(spec(), "one")
        page.until_text(".builds", "New")
        builds.create(spec(), "two")
        page.until(f"{ROWS}.split(',').length === 2")
        progress = {"summary": "2/5", "step": 2, "steps": 5, "instruction": "RUN make"}
        builds.patch_status({"phase": "Building", "progress": progress}, "one")
        page.until_text(".builds tr.running", "2/5 RUN make")
        builds.patch_status(FAILED, "two")
        page.until_text(".builds tr.failed", "RunCommandFailed")
        page.until_text(".groups", "Running\n1")
        builds.api.delete_namespaced_custom_object("imagebuild.dev", "v1alpha1", builds.namespace, "imagebuilds", "two")
        page.until(f"{ROWS} === 'one'")
        assert page.text("#connection") == "Live"
        assert page.text("#scope") == "all namespaces"


def test_the_newest_build_comes_first_and_filters_are_in_the_address(
    browser: Browser, served: Served, builds: Builds, home: str
):
    for name in ("web-1", "web-2", "data"):
        builds.create(spec(), name)
    builds.patch_status(FAILED, "web-1")
    with opened(browser, served, home) as page:
        page.until(f"{ROWS}.split(',').length === 3")
        page.press("/")
        page.type("web")
        page.until(f"{ROWS}.split(',').sort().join() === 'web-1,web-2'")
        page.until(f"location.search === '?namespace={builds.namespace}&q=web'")
        page.click(".group:nth-of-type(4)")
        page.until(f"{ROWS} === 'web-1'")
        assert page.run("document.querySelector('.group:nth-of-type(4)').getAttribute('aria-pressed')") == "true"
        address = page.run("location.pathname + location.search")
    with opened(browser, served, address) as page:
        page.until(f"{ROWS} === 'web-1'")
        page.run("history.pushState(null, '', '/?q=nothing')")
        page.run("dispatchEvent(new PopStateEvent('popstate'))")
        page.until_text(".empty", "No build matches these filters.")


def test_tracked_images_are_above_their_builds(
    browser: Browser, served: Served, builds: Builds, api: client.ApiClient, home: str
):
    custom, place = client.CustomObjectsApi(api), ("imagebuild.dev", "v1alpha1", builds.namespace, "trackedimages")
    template = {"spec": {"source": {"inline": {"files": {"Dockerfile": "FROM scratch\n"}}}}}
    body = {
        "apiVersion": "imagebuild.dev/v1alpha1",
        "kind": "TrackedImage",
        "metadata": {"name": "web"},
        "spec": {"template": template, "image": {"repositories": ["r.example/web"]}},
    }
    builds.create(spec(), "web-2")
    with opened(browser, served, home) as page:
        page.until(f"{ROWS} === 'web-2'")
        assert page.run("document.querySelector('.tracked').hidden")
        custom.create_namespaced_custom_object(*place, body)
        page.until_text(".tracked li", "Waits for the operator")
        time = "2026-12-01T10:00:00Z"
        told = "web-2 failed: RUN make failed. <b>Soon</b>"
        condition = {"type": "Reconciling", "status": "True", "reason": "BuildFailed", "message": told}
        condition["lastTransitionTime"] = time
        status = {
            "latestTag": "main-1",
            "latestBuild": {"name": "web-1"},
            "currentBuild": "web-2",
            "conditions": [condition],
        }
        custom.patch_namespaced_custom_object_status(*place, "web", {"status": status})
        page.until_text(".tracked li.failed", "The last build failed")
        assert told in page.text(".tracked li")
        assert page.text(".tracked summary") == "1 tracked image"
        for width in (1280, 375):
            page.resize(width, 800)
            assert page.run(CHECKS) == []
        page.click(".tracked a")
        page.until_text("h1", "web-2")
    custom.delete_namespaced_custom_object(*place, "web")


def test_many_builds_are_shown_in_parts(browser: Browser, served: Served, builds: Builds, home: str):
    for number in range(205):
        builds.create(spec(), f"b{number:03}")
    with opened(browser, served, home) as page:
        page.until_text(".summary[role=status]", "The newest 200 of 205 builds are shown.")
        assert page.run("document.querySelectorAll('.builds tbody tr').length") == 200
        page.click(".more button")
        page.until("document.querySelectorAll('.builds tbody tr').length === 205")
        page.until_text(".summary[role=status]", "205 builds")


def test_a_build_is_opened_and_its_log_followed(
    browser: Browser,
    served: Served,
    builds: Builds,
    home: str,
    operator: OperatorProcess,
    kubelet: Kubelet,
    node: Node,
):
    assert operator.is_running()
    builds.create(spec(), "app")
    pod = kubelet.pod()
    name = f"{pod['metadata']['name']}/build"
    kubelet.bind(pod, node.name)
    with opened(browser, served, home) as page:
        page.click(".builds .name")
        page.until_text("h1", "app")
        page.until_text(".log .state", "The log begins when")
        node.logs[name] = (
            '2026-11-25T10:00:01Z kaniko-shim: progress: stage=1/1 step=1/2 instruction="FROM busybox"\n'
            '2026-11-25T10:00:03Z kaniko-shim: progress: stage=1/1 step=2/2 instruction="RUN make"\n'
            "2026-11-25T10:00:04Z compiling\n"
        )
        kubelet.report(pod, "Pending", build=running())
        page.until_text(".lines", "compiling")
        assert "Step 2/2\nRUN make" in page.text(".lines")
        page.until_text(".waterfall", "FROM busybox")
        node.logs[name] += "2026-11-25T10:00:05Z \x1b[1;31mlinking\x1b[0m\n"
        page.until_text(".lines", "linking")
        assert page.run("document.querySelector('.l .fg-red.bold').textContent") == "linking"
        page.run("document.querySelector('.log input').focus()")
        page.type("comp")
        page.until_text(".found", "1 of 1")
        assert page.text(".l.current") == "compiling"
        kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
        page.until_text(".badge", "Succeeded")
        page.until("document.title === '✓ app: Succeeded'")
        page.until_text(".images", DIGEST)
        # The operator has deleted the pod, and the page still has the log.
        page.until_text(".log .state", "End of the log.")
        page.call("Page.reload")
        page.until_text(".lines", "linking")


def test_a_failure_shows_the_lines_of_the_dockerfile_and_what_to_do(browser: Browser, served: Served, builds: Builds):
    builds.create(spec(dockerfile={"inline": DOCKERFILE}), "app")
    builds.patch_status(FAILED, "app")
    with opened(browser, served, f"/{builds.namespace}/app") as page:
        shown = page.until_text(".failure", "RUN make failed with exit code 2.")
        assert "What to do" in page.run("getComputedStyle(document.querySelector('.hint'), '::before').content")
        assert "Read the end of the log." in shown
        assert "Dockerfile, line 3 · exit code 2" in shown
        assert page.text(".code-line.failed") == "RUN make"
        assert page.run("[...document.querySelectorAll('.code-line')].map((e) => e.dataset.n).join()") == "1,2,3,4"
        page.until_text(".log .state", "No pod of this build is left")
        page.click(".yaml summary")
        page.until_text(".yaml pre", "inline: |")


def test_a_deleted_build_stays_on_its_page(browser: Browser, served: Served, builds: Builds):
    path = f"/{builds.namespace}/app"
    with opened(browser, served, path) as page:
        page.until_text(".notice", "There is no ImageBuild of this name.")
        builds.create(spec(), "app")
        page.until_text(".badge", "New")
        builds.delete_all()
        page.until_text(".notice", "This ImageBuild was deleted.")
        assert page.text("h1") == "app"


def test_a_build_is_cancelled_and_run_again(
    browser: Browser, served: Served, builds: Builds, operator: OperatorProcess, kubelet: Kubelet
):
    assert operator.is_running()
    builds.create(spec(), "app")
    kubelet.pod()
    with opened(browser, served, f"/{builds.namespace}/app") as page:
        page.until_text(".title button", "Cancel")
        page.click(".title button")
        page.until("document.activeElement.textContent === 'Let it run'")
        assert page.text("dialog p") == "Cancel app? A cancelled build cannot be continued."
        assert page.run(CHECKS) == []
        page.press("Enter")
        page.until("!document.querySelector('dialog').open")
        assert "cancel" not in builds.get("app")["spec"]
        page.click(".title button")
        page.click("dialog .danger")
        page.until_text(".badge", "Cancelled")
        page.until_text(".title button", "Run again")
        page.click(".title button")
        page.until("/^app-/.test(document.querySelector('h1').textContent)")
        page.until_text(".title button", "Cancel")
        again = builds.get(page.text("h1"))
    assert again["spec"] | {"cancel": True} == builds.get("app")["spec"]
    assert "cancel" not in again["spec"]


def test_what_was_sent_from_a_machine_is_not_run_again(browser: Browser, served: Served, builds: Builds):
    builds.create(spec(source={"upload": {}}), "app")
    builds.patch_status(FAILED, "app")
    builds.create(spec(), "other")
    builds.patch_status(FAILED, "other")
    with opened(browser, served, f"/{builds.namespace}/other") as page:
        page.until_text(".title button", "Run again")
    with opened(browser, served, f"/{builds.namespace}/app") as page:
        page.until_text(".failure", "RUN make failed")
        assert page.run("document.querySelector('.title button').hidden")


def test_one_namespace(browser: Browser, kubeconfig: Path, builds: Builds):
    with serving(kubeconfig, "-n", builds.namespace) as served:
        with opened(browser, served) as page:
            page.until_text(".empty", "There are no builds yet.")
            assert page.run("location.hash") == ""
            assert page.text("#scope") == f"namespace {builds.namespace}"
        with opened(browser, served, "/other/app") as page:
            page.until_text(".notice", "Only builds of another namespace are served.")
        code, said = served.stop()
    assert (code, said.splitlines()[-1]) == (0, "Press Ctrl-C to stop.")


@pytest.mark.shows("A65")
def test_what_a_cluster_says_is_text(
    browser: Browser, served: Served, builds: Builds, operator: OperatorProcess, kubelet: Kubelet, node: Node
):
    assert operator.is_running()
    attack = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
    dockerfile = f"FROM busybox\nRUN true {attack}\n"
    builds.create(spec(dockerfile={"inline": dockerfile}), "app")
    pod = kubelet.pod()
    kubelet.bind(pod, node.name)
    lines = (
        attack,
        f"\x1b]0;{attack}\x07title",
        "\x1b[2J\x1b[31mred\x1b[0m",
        "evil \u202etxt.exe",
        "50 %\r100 %\r",
        "\x00\x07bell",
    )
    node.logs[f"{pod['metadata']['name']}/build"] = "".join(
        f"2026-11-25T10:00:0{n}Z {each}\n" for n, each in enumerate(lines)
    )
    report = json.dumps(
        {"reason": "RunCommandFailed", "message": attack, "logTail": attack, "instruction": attack, "dockerfileLine": 2}
    )
    kubelet.report(pod, "Failed", build=terminated(1, report, "Error"))
    with opened(browser, served, f"/{builds.namespace}/app") as page:
        page.until_text(".lines", "bell")
        assert page.text(".lines").split("\n")[1:] == [attack, "title", "red", "evil <U+202E>txt.exe", "100 %", "bell"]
        page.until_text(".failure .why", attack)
        assert page.text(".code-line.failed") == f"RUN true {attack}"
        assert page.run("window.pwned") is None
        assert page.run("document.querySelectorAll('main img, main script').length") == 0
    with opened(browser, served, "/?q=%3Cimg%20src=x%20onerror=window.pwned=1%3E&namespace=%3Cb%3E") as page:
        page.until_text(".empty", "No build matches these filters.")
        assert page.run("window.pwned") is None


@pytest.mark.shows("A65")
def test_only_the_page_with_the_token_gets_data(browser: Browser, served: Served, builds: Builds):
    builds.create(spec(), "app")
    address = urlsplit(served.origin)
    host, token = {"Host": address.netloc}, {"Authorization": f"Bearer {served.token}"}

    def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=30)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body, {name.lower(): value for name, value in answer.getheaders()}

    for path in ("/-/api/builds?once=1", f"/-/api/builds/{builds.namespace}/app?once=1"):
        status, body, headers = ask(path, **host, **token)
        assert (status, '"app"' in body) == (200, True)
        assert "access-control-allow-origin" not in headers
        assert ask(path, **host)[0] == 401
        assert ask(path, **host, Authorization="Bearer x", Cookie=f"token={served.token}")[0] == 401
        assert ask(f"{path}&token={served.token}", **host)[0] == 401
        assert ask(path, Host="evil.example", **token)[0] == 403
        assert ask(path, **host, **token, **{"Sec-Fetch-Site": "same-site"})[0] == 403
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            assert ask(path, method, **host, **token)[0] == 405
    uid = builds.get("app")["metadata"]["uid"]
    for action in ("cancel", "rerun"):
        path = f"/-/api/builds/{builds.namespace}/app/{action}?uid={uid}"
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        assert ask(path, "POST", **host)[0] == 401
        assert ask(path, "POST", **host, **token, **link)[0] == 403
        assert ask(path, "POST", Host="evil.example", **token)[0] == 403
        assert ask(path, "GET", **host, **token)[0] == 405
        assert ask(path.replace(uid, "another"), "POST", **host, **token)[:2] == (409, "ImageBuild app is gone.")
    assert "cancel" not in builds.get("app")["spec"]
    status, body, headers = ask("/", **host)
    assert (status, "app" in headers["content-security-policy"], served.token in body) == (200, False, False)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert ask("/-/../server.py", **host)[0] == 404
    assert ask("/-/server.py", **host)[0] == 404
    with browser.page(f"{served.origin}/") as page:
        page.until_text("h1", "This page needs its token")


def test_the_page_can_be_read_by_everybody(browser: Browser, served: Served, builds: Builds, home: str):
    builds.create(spec(dockerfile={"inline": DOCKERFILE}), "app")
    builds.patch_status({**FAILED, "warnings": ["a cache was not written"], "startTime": "2026-11-25T10:00:00Z"}, "app")
    builds.create(spec(), "b")
    builds.patch_status({"phase": "Building", "progress": {"step": 1, "steps": 2, "instruction": "RUN a"}}, "b")
    for path in (home, f"/{builds.namespace}/app", f"/{builds.namespace}/b"):
        with opened(browser, served, path) as page:
            page.until("document.querySelectorAll('.builds tbody tr, .yaml').length >= 2")
            for scheme in ("light", "dark"):
                page.prefer(scheme)
                for width in (1280, 375):
                    page.resize(width, 800)
                    assert page.run(CHECKS) == [], (path, scheme, width)


def test_the_keyboard_is_enough(browser: Browser, served: Served, builds: Builds, home: str):
    builds.create(spec(), "app")
    with opened(browser, served, home) as page:
        page.until(f"{ROWS} === 'app'")
        page.press("Tab")
        assert page.run("document.activeElement.className") == "skip"
        while page.run("document.activeElement.className") != "name":
            page.press("Tab")
            assert page.run("document.activeElement !== document.body")
        page.press("Enter")
        page.until_text("h1", "app")
        assert page.run("document.activeElement.id") == "main"
