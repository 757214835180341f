import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.redact import MASK, redact, redact_all
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.decide.record import record
from imagebuild_operator.status.outcome import Outcome
from imagebuild_vocabulary.phases import Phase
from support.builds import SETTINGS, a_build, after

AROUND = st.text(max_size=30)
#: How a secret may be written, with § in its place.
FORMS = [
    "https://user:§@example.com/repo.git",
    "https://§@example.com",
    "git+ssh://git:§@host:22/x",
    "https://x.s3.amazonaws.com/c.tar?X-Amz-Signature=§",
    "https://x.blob.core.windows.net/c/b?sp=r&sig=§",
    "Authorization: Bearer §",
    "authorization: basic §",
    "{'Authorization': 'Bearer §'}",
    '{"auths": {"r.example.com": {"auth": "§"}}}',
    "-----BEGIN OPENSSH PRIVATE KEY-----\n§\nmore\n-----END OPENSSH PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\n§",
    'environment variable value can\'t contain null(\\x00): "BUILD_SECRET_VALUE_0=§\\x00": unknown',
    "token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4IiwiUyI6MX0.§",
]


@pytest.mark.shows("A34")
@pytest.mark.parametrize("form", FORMS)
@given(secret=st.from_regex(r"[A-Za-z0-9_-]{8,40}", fullmatch=True), before=AROUND, after_it=AROUND)
def test_a_secret_never_survives(form: str, secret: str, before: str, after_it: str):
    said = redact(f"{before} {form.replace('§', secret)} {after_it}")
    assert secret not in said or secret in before + after_it + form
    assert MASK in said


@given(st.text())
def test_once_is_enough(text: str):
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("form", FORMS)
def test_once_is_enough_for_secrets(form: str):
    assert redact(redact(form)) == redact(form)


@pytest.mark.parametrize(
    "harmless",
    [
        "https://example.com/context.tar.gz",
        "registry.example.com/team/app@sha256:" + "ab" * 32,
        "oci://registry.example.com/team/app@sha256:" + "ab" * 32,
        "oci://alpine@sha256:" + "ab" * 32,
        "mail team@example.com about https://example.com",
        "https://example.com/?page=2#L3",
        "failed to authorize: 401 Unauthorized",
        "RUN echo https://example.com && mail a@b.c",
    ],
)
def test_what_is_no_secret_stays(harmless: str):
    assert redact(harmless) == harmless


def test_a_key_whose_beginning_was_cut_off_is_masked():
    line = "MIIEpAIBAAKCAQEAx"
    assert (
        redact(f"{line}\n{line}\n-----END RSA PRIVATE KEY-----\nrest") == f"{MASK}-----END RSA PRIVATE KEY-----\nrest"
    )


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_value_keeps_its_shape(value: object):
    assert json.dumps(redact_all(value)) == json.dumps(redact_all(redact_all(value)))


def test_nothing_secret_gets_into_the_status_or_an_event():
    url = "https://bob:hunter22@example.com/x.git"
    build = a_build(status={"phase": "Preparing"})
    outcome = Outcome(Phase.PREPARING, f"Waiting for {url}: {'x' * 2000}", Reason.SECRET_NOT_FOUND)
    plan = record(ReconcileInput(build, [], SETTINGS, after(10)), outcome)
    assert "hunter22" not in json.dumps(plan.status)
    assert "hunter22" not in plan.events[0].message
    assert "https://***@example.com" in plan.events[0].message


def test_a_password_at_the_cut_is_not_left_in_half():
    words = "x" * 1000 + " https://bob:hunter22-and-much-more@example.com/x.git"
    plan = record(ReconcileInput(a_build(), [], SETTINGS, after(10)), Outcome(Phase.PREPARING, words))
    assert "hunter" not in json.dumps(plan.status)
