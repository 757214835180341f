"""kubectl imagebuild serve when something is missing: permissions, the API server, or the command itself."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from functional.kube import Builds, Kubectl, spec
from functional.served_page import opened, serving
from support.api_proxy import ApiProxy
from support.browser import Browser, Page, running_browser
from support.waiting import until

ROWS = "[...document.querySelectorAll('.builds .name')].map((each) => each.textContent).sort().join()"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running_browser(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture
def reader(kubectl: Kubectl, kubeconfig: Path, namespace: str, tmp_path: Path) -> Path:
    """A kubeconfig of a user who may read the builds of one namespace, and nothing else."""
    kubectl("-n", namespace, "create", "serviceaccount", "reader")
    rights = ("--verb=get,list,watch", "--resource=imagebuilds.imagebuild.dev")
    kubectl("-n", namespace, "create", "role", "reader", *rights)
    kubectl("-n", namespace, "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader")
    document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    token = kubectl("-n", namespace, "create", "token", "reader").strip()
    document["users"] = [{"name": entry["name"], "user": {"token": token}} for entry in document["users"]]
    for context in document["contexts"]:
        context["context"]["namespace"] = namespace
    path = tmp_path / "reader.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def test_a_user_of_one_namespace_who_may_not_read_pods(browser: Browser, reader: Path, builds: Builds):
    builds.create(spec(), "app")
    with serving(reader) as served:
        with opened(browser, served) as page:
            page.until(f"{ROWS} === 'app'")
            page.until_text(
                ".list", f"You may not list the builds of all namespaces; these are those of {builds.namespace}."
            )
            assert page.text("#scope") == f"namespace {builds.namespace}"
        with opened(browser, served, f"/{builds.namespace}/app") as page:
            said = page.until_text(".log .state", "The log cannot be read.")
            assert 'cannot list resource "pods"' in said
            assert page.text("#connection") == "Live"


def ask(page: Page, builds: Builds, action: str) -> str:
    """Ask for an action as the page does; the answer's status and text."""
    place = f"/-/api/builds/{builds.namespace}/app/{action}?uid={builds.get('app')['metadata']['uid']}"
    headers = "{Authorization: 'Bearer ' + localStorage.getItem('token')}"
    answer = "async (answer) => `${answer.status} ${await answer.text()}`"
    return str(page.run(f"fetch('{place}', {{method: 'POST', headers: {headers}}}).then({answer})"))


def test_who_may_only_read_has_no_buttons(browser: Browser, reader: Path, builds: Builds):
    builds.create(spec(), "app")
    with serving(reader) as served, browser.page(served.url(f"/{builds.namespace}/app")) as page:
        page.until_text(".log .state", "The log cannot be read.")
        assert page.run("document.querySelector('.title button').hidden")
        assert ask(page, builds, "cancel").startswith('409 imagebuilds.imagebuild.dev "app" is forbidden')
        assert ask(page, builds, "rerun").startswith("409 imagebuilds.imagebuild.dev is forbidden")


@pytest.mark.shows("A65")
def test_nothing_is_changed_with_read_only(browser: Browser, kubeconfig: Path, builds: Builds):
    builds.create(spec(), "app")
    with (
        serving(kubeconfig, "--read-only") as served,
        browser.page(served.url(f"/{builds.namespace}/app")) as page,
    ):
        page.until_text(".log .state", "The log begins when")
        assert page.run("document.querySelector('.title button').hidden")
        for action in ("cancel", "rerun"):
            assert ask(page, builds, action) == "409 kubectl imagebuild serve was started with --read-only."
        assert "Whoever has it can read builds as you can." in served.stop()[1]
    assert "cancel" not in builds.get("app")["spec"]


def test_the_page_says_that_it_is_out_of_date_and_catches_up(
    browser: Browser, proxy: ApiProxy, builds: Builds, tmp_path: Path
):
    builds.create(spec(), "one")
    builds.create(spec(), "two")
    kubeconfig = proxy.kubeconfig(tmp_path / "proxy.yaml")
    with serving(kubeconfig, "-n", builds.namespace) as served, opened(browser, served) as page:
        page.until(f"{ROWS} === 'one,two'")
        proxy.is_down = True
        proxy.cut_watches()
        page.until_text("#banner", "What you see may be out of date. The API server does not answer")
        assert page.text("#connection") == "Out of date"
        assert page.run(ROWS) == "one,two"
        builds.api.delete_namespaced_custom_object("imagebuild.dev", "v1alpha1", builds.namespace, "imagebuilds", "two")
        builds.create(spec(), "three")
        proxy.is_down = False
        page.until(f"{ROWS} === 'one,three'")
        page.until("document.getElementById('banner').hidden")
        assert page.text("#connection") == "Live"


def test_the_page_says_that_credentials_have_expired(browser: Browser, proxy: ApiProxy, builds: Builds, tmp_path: Path):
    builds.create(spec(), "one")
    proxy.is_rejecting = True
    kubeconfig = proxy.kubeconfig(tmp_path / "proxy.yaml")
    with serving(kubeconfig, "-n", builds.namespace) as served, opened(browser, served) as page:
        said = page.until_text("#banner", "Log in to the cluster again.")
        assert said.startswith("The builds cannot be read.")
        proxy.is_rejecting = False
        page.until(f"{ROWS} === 'one'")
        page.until("document.getElementById('banner').hidden")


def test_the_page_says_that_the_command_has_ended(browser: Browser, kubeconfig: Path, builds: Builds):
    builds.create(spec(), "app")
    arguments = ("-n", builds.namespace)
    with serving(kubeconfig, *arguments) as served, browser.page(served.url()) as page:
        page.until(f"{ROWS} === 'app'")
        assert served.stop()[0] == 0
        page.until_text("#banner", "kubectl imagebuild serve does not answer.")
        port = served.origin.rpartition(":")[2]
        with serving(kubeconfig, *arguments, "--port", port) as again:
            page.until_text("h1", "This page needs its token")
            page.run(f"location.hash = 'token={again.token}'")
            page.until(f"{ROWS} === 'app'")
            assert page.run("location.hash") == ""
            again.process.send_signal(signal.SIGTERM)
            assert again.process.wait(30) == 0


def test_a_page_that_continues_gets_only_what_has_changed(browser: Browser, kubeconfig: Path, builds: Builds):
    builds.create(spec(), "one")
    with serving(kubeconfig, "-n", builds.namespace) as served, opened(browser, served) as page:
        page.until(f"{ROWS} === 'one'")
        ask = (
            "{headers: {Authorization: 'Bearer ' + localStorage.getItem('token'), 'Last-Event-ID': window.last ?? ''}}"
        )
        read = f"fetch('/-/api/builds?once=1', {ask}).then((answer) => answer.text())"
        first = page.run(read)
        assert '"whole":true' in first
        page.run(f"window.last = {first.split('id: ')[1].split(chr(10))[0]!r}")
        builds.create(spec(), "two")
        page.until(f"{ROWS} === 'one,two'")
        second = page.run(read)
        assert '"whole":false' in second
        assert ('"name":"two"' in second, '"name":"one"' in second) == (True, False)


def test_a_port_that_is_taken_is_one_line_and_code_2(kubeconfig: Path, builds: Builds):
    with (
        serving(kubeconfig, "-n", builds.namespace) as served,
        pytest.raises(AssertionError, match=r"^error: port .* is in use; choose another with --port\n$"),
        serving(kubeconfig, "--port", served.origin.rpartition(":")[2]),
    ):
        pass


def test_a_browser_is_opened_without_the_token_in_its_arguments(kubeconfig: Path, builds: Builds, tmp_path: Path):
    seen, browser = tmp_path / "seen", tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\nstat -c %a "${{1#file://}}" >{seen}.tmp\ncat "${{1#file://}}" >>{seen}.tmp\nmv {seen}.tmp {seen}\n'
    )
    browser.chmod(0o755)
    with serving(kubeconfig, "-n", builds.namespace, "--open", BROWSER=f"{browser} %s") as served:
        until(seen.exists)
        mode, page = seen.read_text().split("\n", 1)
        assert (mode, served.url() in page) == ("600", True)
        assert served.stop()[0] == 0
