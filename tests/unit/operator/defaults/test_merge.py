from imagebuild_operator.api.build import Registry
from imagebuild_operator.defaults.merge import merge_registries


def test_a_builds_registries_go_before_the_defaults():
    def merge(asked: list[Registry], defaults: list[Registry]) -> tuple[Registry, ...]:
        return merge_registries(asked, defaults, lambda registry: registry)

    hub, plain = Registry("docker.io", mirrors=("m",)), Registry("plain", plain_http=True)
    assert merge([Registry("plain")], [hub, plain]) == (Registry("plain"), hub)
    mapped = Registry("quay.io", map_to="proxy/quay")
    assert merge([mapped], [hub, plain]) == (mapped, plain)
    mirrored = Registry("quay.io", mirrors=("m/quay",))
    assert merge([mirrored], [Registry("gcr.io", map_to="p"), plain]) == (mirrored, plain)
