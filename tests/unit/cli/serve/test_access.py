"""Who may read the page."""

import pytest
from kubectl_imagebuild.serve.access import Access, new_token

ACCESS = Access(8400, "secret")


@pytest.mark.parametrize("host", ["127.0.0.1:8400", "localhost:8400", "LOCALHOST:8400"])
def test_the_page_itself_may_ask(host: str):
    assert ACCESS.refuses_host("GET", {"Host": host, "Sec-Fetch-Site": "same-origin"}) == ""
    assert ACCESS.refuses_host("GET", {"Host": host}) == ""


@pytest.mark.parametrize("host", ["", "127.0.0.1", "127.0.0.1:80", "evil.example:8400", "127.0.0.1:8400.evil.example"])
def test_another_name_of_this_machine_is_refused(host: str):
    assert "127.0.0.1" in ACCESS.refuses_host("GET", {"Host": host})


def test_a_page_of_another_site_may_lead_here_and_nothing_else():
    headers = {"Host": "127.0.0.1:8400", "Sec-Fetch-Site": "cross-site"}
    assert ACCESS.refuses_host("GET", {**headers, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}) == ""
    assert ACCESS.refuses_host("POST", {**headers, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
    assert ACCESS.refuses_host("GET", {**headers, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"})
    assert ACCESS.refuses_host("GET", {**headers, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"})
    assert ACCESS.refuses_host("GET", {**headers, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-site"})


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic secret", "secret", "Bearer sécret"])
def test_without_the_token_there_is_no_data(value: str):
    assert not ACCESS.has_token({"Authorization": value})
    assert not ACCESS.has_token({})


def test_the_token_gives_access():
    assert ACCESS.has_token({"Authorization": "Bearer secret"})
    assert len(new_token()) >= 32
    assert new_token() != new_token()
