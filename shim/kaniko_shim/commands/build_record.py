"""What the record of a build says of its request and its source. Of secrets, only the names are in it."""

from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.request.build_request import BuildRequest


def build_parameters(request: BuildRequest, url: str) -> dict[str, object]:
    """The parameters of a build.

    Args:
        request: the request; of secret build arguments, only the names are recorded.
        url: where the context was fetched from, masked.
    """
    parameters: dict[str, object] = {
        "source": url,
        "contextSubPath": request.source.sub_path,
        "dockerfile": "" if request.dockerfile_content else request.dockerfile_path,
        "target": request.target,
        "platform": request.platform.name if request.platform else "",
        "buildArgs": {argument.name: argument.value for argument in request.build_args},
        "secretBuildArgs": [argument.name for argument in request.secret_build_args],
        "labels": {label.name: label.value for label in request.labels},
        "executorArgs": [f"--{extra.name}={extra.value}" for extra in request.extra_args],
        "outputs": [output.name for output in request.outputs],
    }
    return {name: value for name, value in parameters.items() if value}


def source_record(report: SourceReport) -> dict[str, str]:
    """What was fetched."""
    record = {"url": report.url, "revision": report.revision, "sha256": report.sha256}
    return {name: value for name, value in record.items() if value}
