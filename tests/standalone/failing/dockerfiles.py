"""Dockerfiles and build contexts that can't be built."""

import io
import random
import tarfile

from standalone.failing.case import Failing


def _cut_archive() -> str:
    """A compressed tar that ends before its file does."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        entry = tarfile.TarInfo("file")
        entry.size = 100_000
        archive.addfile(entry, io.BytesIO(random.Random(0).randbytes(entry.size)))
    return whole.getvalue()[:2000].decode("latin-1")


DOCKERFILES = (
    Failing(
        "Dockerfile syntax",
        "FROM busybox\nRUNN true\n",
        "DockerfileInvalid",
        71,
        "The Dockerfile can't be parsed: "
        "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?).",
        line=2,
    ),
    Failing("no FROM", "ARG A\n", "DockerfileInvalid", 71, "Dockerfile has no FROM."),
    Failing(
        "several sources, no directory",
        "FROM busybox\nCOPY Dockerfile Dockerfile /x\n",
        "DockerfileInvalid",
        71,
        "A COPY or ADD with several sources needs a destination that ends in /.",
    ),
    Failing(
        "a heredoc without an end",
        "FROM busybox\n\nRUN <<END\ntrue\n",
        "DockerfileInvalid",
        71,
        "Dockerfile line 3: the heredoc END is not closed.",
        line=3,
    ),
    Failing(
        "a variable's form",
        "FROM busybox\nENV A=${{B:?missing}}\n",
        "DockerfileInvalid",
        71,
        '"${{B:?missing}}" in the Dockerfile can\'t be expanded: B: missing.',
    ),
    Failing(
        "no signal",
        "FROM busybox\nSTOPSIGNAL SIGNOSUCH\n",
        "DockerfileInvalid",
        71,
        "STOPSIGNAL is not a signal: SIGNOSUCH.",
        line=2,
    ),
    Failing(
        "no image's name",
        "FROM Bad::Name\n",
        "DockerfileInvalid",
        71,
        "FROM or COPY --from names 'Bad::Name', which is not a valid image name.",
    ),
    Failing(
        "no such target",
        "FROM busybox\n",
        "TargetNotFound",
        74,
        "The Dockerfile has no stage nosuch, which TARGET names.",
        env={"TARGET": "nosuch"},
    ),
    Failing(
        "not in the context",
        "FROM busybox\nRUN true\nCOPY Dockerfile nothing /x/\n",
        "CopyFailed",
        73,
        "The build context has no nothing, which the Dockerfile copies.",
        line=3,
    ),
    Failing(
        "not in the context",
        "FROM busybox\nCOPY /a/nothing /x/\n",
        "CopyFailed",
        73,
        "The build context has no a/nothing, which the Dockerfile copies.",
        line=2,
        files={"sub/Dockerfile": "FROM busybox\nCOPY /a/nothing /x/\n"},
        env={"CONTEXT_SUB_PATH": "sub"},
    ),
    Failing(
        "not in the other stage",
        "FROM busybox AS a\nRUN true\nFROM busybox\nCOPY --from=a /nothing /x\n",
        "CopyFailed",
        73,
        "The stage or image in --from has no /nothing.",
        line=4,
    ),
    Failing(
        "damaged archive",
        "FROM busybox\nADD a.tar.gz /x/\n",
        "CopyFailed",
        73,
        "ADD can't unpack an archive of the build context: unexpected EOF.",
        line=2,
        files={"a.tar.gz": _cut_archive()},
    ),
    Failing(
        "no room for the copy",
        "FROM busybox\nCOPY Dockerfile /bin/busybox/\n",
        "CopyFailed",
        73,
        "COPY or ADD can't write to its destination: lstat /bin/busybox/Dockerfile: not a directory.",
        line=2,
    ),
    Failing(
        "download refused",
        "FROM busybox\nADD http://{answers}/v2/team/nosuch/manifests/1 /x\n",
        "CopyFailed",
        73,
        "The server of ADD's URL answered 404.",
        line=2,
    ),
    Failing(
        "download not trusted",
        "FROM busybox\nADD https://{untrusted}/x /x\n",
        "CopyFailed",
        73,
        'The certificate of the server of ADD\'s URL is not trusted: Get "https://{untrusted}/x": tls: failed to '
        "verify certificate: x509: certificate signed by unknown authority.",
        line=2,
    ),
    Failing(
        "download unavailable",
        "FROM busybox\nADD http://{answers}/v2/team/limited/manifests/1 /x\n",
        "SourceUnavailable",
        69,
        "ADD's URL could not be downloaded: invalid response status 429.",
        line=2,
    ),
    Failing(
        "download unavailable",
        "FROM busybox\nADD http://127.0.0.1:9/x /x\n",
        "SourceUnavailable",
        69,
        'ADD\'s URL could not be downloaded: Get "http://127.0.0.1:9/x": '
        "dial tcp 127.0.0.1:9: connect: connection refused.",
        line=2,
    ),
)
