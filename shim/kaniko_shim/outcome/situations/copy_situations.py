"""Situations of COPY and ADD."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.situation import row

COPY = (
    row(
        "not in the context",
        r"lstat /kaniko/buildcontext/(?P<file>\S+): no such file",
        Reason.COPY_FAILED,
        "The build context has no {missing}, which the Dockerfile copies",
    ),
    row(
        "not in the other stage",
        r"lstat /kaniko/\S+: no such file",
        Reason.COPY_FAILED,
        "The stage or image in --from has no /{missing}",
        "Check the path, and that the stage writes the file outside of a VOLUME or mount.",
    ),
    row(
        "download refused",
        r"downloading remote source file: invalid response status (?P<status>4(?!08|25|29)\d\d)",
        Reason.COPY_FAILED,
        "The server of ADD's URL answered {status}",
        "Check the URL; the executor downloads without credentials.",
    ),
    row(
        "download not trusted",
        r"downloading remote source file: .*x509: ",
        Reason.COPY_FAILED,
        "The certificate of the server of ADD's URL is not trusted: {error}",
        "Add its CA to REGISTRY_CA, or put the file into the build context.",
    ),
    row(
        "download unavailable",
        r"downloading remote source file: ",
        Reason.SOURCE_UNAVAILABLE,
        "ADD's URL could not be downloaded: {error}",
        "Retry; check that the builder can reach the server of ADD's URL.",
    ),
    row(
        "damaged archive",
        r"unpacking local tar: (?P<problem>.*(?:EOF|archive/tar:|gzip:|flate:|bzip2|corrupt).*)",
        Reason.COPY_FAILED,
        "ADD can't unpack an archive of the build context: {problem}",
        "Replace the archive: it is damaged or does not contain a tar. COPY copies a file without unpacking it.",
    ),
    row(
        "unsafe archive",
        r"unpacking local tar: (?P<problem>.*(?:is not allowed: |invalid hardlink target ).*)",
        Reason.COPY_FAILED,
        "ADD can't unpack an archive of the build context: {problem}",
        "Create the archive again from inside its directory, without .. in the names of its entries.",
    ),
    row(
        "no room for the copy",
        r"resolving dest symlink: (?:failed to lstat: )?(?P<problem>.*)",
        Reason.COPY_FAILED,
        "COPY or ADD can't write to its destination: {problem}",
        "Check the destination: a part of its path is a file or a broken link.",
    ),
    row(
        "links in a circle",
        r"failed to take snapshot: .*too many links",
        Reason.COPY_FAILED,
        "A symbolic link leads to itself, and the executor can't put it into a layer",
        "Remove the link, or exclude it in .dockerignore; `find -L . -type l` lists such links and broken ones.",
    ),
    row(
        "other trouble with files",
        r"failed to get fileinfo for|failed to get relative files|copy failed|could not copy source"
        r"|no source files were specified|failed to get files used from context",
        Reason.COPY_FAILED,
        "A file to copy does not exist: {error}",
    ),
)
