from imagebuild_operator.cache.known_pushes import KnownPushes
from imagebuild_operator.decide.push_proof import PushProof
from support.builds import after


def proof(repository: str) -> PushProof:
    return PushProof("team", repository, None, None, (), None)


def test_a_proof_counts_for_a_while_after_the_last_push():
    pushes = KnownPushes(60)
    pushes.succeeded([proof("a"), proof("b")], after(0))
    pushes.succeeded([proof("a")], after(30))
    assert set(pushes.known(after(59.9))) == {proof("a"), proof("b")}
    assert set(pushes.known(after(60))) == {proof("a")}
    assert set(pushes.known(after(90))) == set()


def test_a_refusal_ends_it():
    pushes = KnownPushes(60)
    pushes.succeeded([proof("a"), proof("b")], after(0))
    pushes.refused([proof("a"), proof("never seen")])
    assert set(pushes.known(after(1))) == {proof("b")}


def test_no_proof_counts_if_they_are_switched_off():
    pushes = KnownPushes(0)
    pushes.succeeded([proof("a")], after(0))
    assert set(pushes.known(after(0))) == set()


def test_only_the_newest_are_remembered():
    pushes = KnownPushes(60, most=2)
    pushes.succeeded([proof("a"), proof("b")], after(0))
    pushes.succeeded([proof("a"), proof("c")], after(1))
    assert set(pushes.known(after(1))) == {proof("a"), proof("c")}
