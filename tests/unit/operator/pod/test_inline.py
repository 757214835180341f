import base64
import gzip
import io
import tarfile

from imagebuild_operator.pod.inline import data_url


def test_the_same_files_always_make_the_same_url():
    one = data_url({"b": "2", "a/run.sh": "#!/bin/sh\n"})
    assert one == data_url({"a/run.sh": "#!/bin/sh\n", "b": "2"})
    packed = base64.b64decode(one.removeprefix("data:application/gzip;base64,"))
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as tar:
        assert [(member.name, member.mode, member.mtime) for member in tar] == [("a/run.sh", 0o755, 0), ("b", 0o644, 0)]
