import json

import pytest
from imagebuild_operator.client.codec import decode, encode


@pytest.mark.parametrize("document", [{"a": [1, None, "ä"]}, [], "text", {"big": 2**70}])
def test_what_is_written_is_json(document: object):
    assert json.loads(encode(document)) == document


def test_half_of_a_surrogate_pair_is_written_as_an_escape():
    """The JSON of a report that a RUN has forged may have one, and UTF-8 has none."""
    assert encode({"message": "\ud800"}) == b'{"message": "\\ud800"}'


@pytest.mark.parametrize("content", [b"<html>", b"", b'{"a":', b"[" * 100_000])
def test_what_is_no_json_is_a_value_error(content: bytes):
    with pytest.raises(ValueError, match=r"."):
        decode(content)
