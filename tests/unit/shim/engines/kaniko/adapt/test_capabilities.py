from kaniko_shim.engines.kaniko.adapt.capabilities import MAINTAINED, Feature, Support, features


def test_an_executor_without_the_flag_has_no_feature():
    assert features({"context", "destination"}) == frozenset()


def test_an_executor_with_the_flag_has_them_all_if_its_version_is_unknown():
    assert features({"context", "secret"}) == MAINTAINED


def test_a_feature_begins_with_its_version():
    assert Feature.MOUNTS not in features({"secret"}, (1, 27, 6))
    assert Feature.HEREDOCS in features({"secret"}, (1, 27, 6))
    assert Feature.MOUNTS in features({"secret"}, (1, 28, 0))


def test_support_has_its_features():
    assert Support(frozenset({Feature.HEREDOCS})).has(Feature.HEREDOCS)
    assert not Support().has(Feature.HEREDOCS)
