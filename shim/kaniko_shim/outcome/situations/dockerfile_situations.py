"""Situations of a Dockerfile that the executor can't use."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.situation import row

DOCKERFILE = (
    row(
        "Dockerfile syntax",
        r"dockerfile parse error|parsing dockerfile|unknown instruction:|file with no instructions"
        r"|unterminated heredoc|no build stage in current context",
        Reason.DOCKERFILE_INVALID,
        "The Dockerfile can't be parsed: {error}",
    ),
    row(
        "several sources, no directory",
        r"when specifying multiple sources",
        Reason.DOCKERFILE_INVALID,
        "A COPY or ADD with several sources needs a destination that ends in /",
        "End the destination of that COPY or ADD in /.",
    ),
    row(
        "a variable's form",
        r"failed to process (?P<text>\".*\"): (?P<problem>[^\n]+)",
        Reason.DOCKERFILE_INVALID,
        "{text} in the Dockerfile can't be expanded: {problem}",
        "Correct the expression, or set the variable with ARG, ENV or BUILD_ARG.",
    ),
    row(
        "no signal",
        r"invalid signal: (?P<signal>\S+)",
        Reason.DOCKERFILE_INVALID,
        "STOPSIGNAL is not a signal: {signal}",
        "Write a number or a name such as SIGTERM.",
    ),
    row(
        "no image's name",
        r"could not parse reference: ?(?P<name>[^\n]*)",
        Reason.DOCKERFILE_INVALID,
        "FROM or COPY --from names {name!r}, which is not a valid image name",
        "Write [host[:port]/]path[:tag]. Declare an ARG that FROM uses before the first FROM.",
    ),
    row(
        "no such target",
        r"\"?(?P<target>[^\s\"]{1,300})\"? is not a valid target build stage",
        Reason.TARGET_NOT_FOUND,
        "The Dockerfile has no stage {target}, which TARGET names",
    ),
    row(
        "no Dockerfile",
        r"please provide a valid path to a Dockerfile",
        Reason.DOCKERFILE_NOT_FOUND,
        "The executor did not find the Dockerfile",
    ),
)
