"""What a reader of the list is told."""

from imagebuild import Build, Changed, Listed, Removed
from kubectl_imagebuild.serve import store as module
from kubectl_imagebuild.serve.store import Delta, Store


def build(name: str, version: int = 1) -> Build:
    metadata = {"name": name, "namespace": "team", "uid": name, "resourceVersion": str(version)}
    return Build({"metadata": metadata, "spec": {}})


def names(delta: Delta) -> list[str]:
    return [each.name for each in delta.changed]


def test_a_new_reader_gets_all_and_then_what_changes():
    store = Store()
    store.apply(Listed((build("a"), build("b"))))
    first = store.since(0)
    assert (first.whole, names(first)) == (True, ["a", "b"])
    assert not store.since(first.number)
    store.apply(Changed(build("c")))
    store.apply(Changed(build("a", 2)))
    store.apply(Removed(build("b")))
    second = store.since(first.number)
    assert (second.whole, names(second), second.gone) == (False, ["c", "a"], (("team", "b"),))
    assert not store.since(second.number)


def test_an_empty_list_is_told_once():
    store = Store()
    store.apply(Listed(()))
    first = store.since(0)
    assert first == Delta(1, whole=True, changed=())
    assert first
    assert not store.since(first.number)


def test_a_second_list_tells_the_differences():
    store = Store()
    store.apply(Listed((build("a"), build("b"), build("c"))))
    number = store.since(0).number
    store.apply(Listed((build("a"), build("b", 2), build("d"))))
    delta = store.since(number)
    assert (sorted(names(delta)), delta.gone) == (["b", "d"], (("team", "c"),))


def test_a_build_that_was_created_again_is_not_gone():
    store = Store()
    store.apply(Listed((build("a"),)))
    number = store.since(0).number
    store.apply(Removed(build("a")))
    store.apply(Changed(build("a", 5)))
    delta = store.since(number)
    assert (names(delta), delta.gone) == (["a"], ())


def test_who_comes_back_after_too_many_deletions_gets_all():
    store = Store()
    store.apply(Listed(tuple(build(f"b{number}") for number in range(module.MAX_GONE + 5))))
    number = store.since(0).number
    for each in range(module.MAX_GONE + 1):
        store.apply(Removed(build(f"b{each}")))
    assert store.since(number).whole
    assert len(store.since(number).changed) == 4
    assert store.since(number + 10**9).whole


def test_managed_fields_are_left_out():
    document = {"metadata": {"name": "a", "namespace": "team", "managedFields": [{}]}}
    store = Store()
    store.apply(Changed(Build(document)))
    assert "managedFields" not in store.builds["team", "a"].document["metadata"]
    assert "managedFields" in document["metadata"]
