from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kaniko_shim.attest.record import NAME, Record, read_record, write_record
from kaniko_shim.oci.layout import read_document

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,9}", fullmatch=True)


@given(st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"))))
@example({"http_proxy": "http://a", "HTTP_PROXY": "http://b", "Http_Proxy": ""})
@example({"size": "1", "Size": "2", "manifests": "", "Manifests": ""})
def test_any_build_arguments_reach_the_provenance(tmp_path_factory: pytest.TempPathFactory, arguments: dict[str, str]):
    layout = tmp_path_factory.mktemp("layout")
    record = Record({"buildArgs": arguments}, {"url": "https://h.example/x"}, "00", "begin", "end")
    write_record(record, layout)
    assert read_record(read_document(layout, NAME)) == record


def test_a_value_that_is_not_utf_8_does_not_lose_the_record(tmp_path: Path):
    write_record(Record({"buildArgs": {"A": "\udcff", "B": "b"}}), tmp_path)
    assert read_record(read_document(tmp_path, NAME)).parameters == {"buildArgs": {"A": "?", "B": "b"}}
