import pytest
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec


def test_what_no_schema_could_refuse_names_its_field():
    for spec, path in (
        ({"output": {}}, "spec.output.images"),
        ({"output": {"images": ["a"]}, "source": {}}, "spec.source"),
        ({"output": {"images": ["a"]}, "source": {"url": "u"}, "buildArgs": [{"name": "A"}]}, "spec.buildArgs[0]"),
        ({"output": {"images": ["a"]}, "source": {"url": "u"}, "buildSecrets": [{"id": "a"}]}, "spec.buildSecrets[0]"),
    ):
        with pytest.raises(InvalidSpecError) as caught:
            parse_spec(spec)
        assert caught.value.path == path
