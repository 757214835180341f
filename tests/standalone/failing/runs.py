"""RUN steps that fail."""

from standalone.failing.case import Failing


def _run(command: str, code: int, situation: str = "RUN exits", message: str = "") -> Failing:
    ended = f"The RUN in line 2 ended with exit code {code}."
    dockerfile = f"FROM busybox\nRUN {command}\n"
    return Failing(situation, dockerfile, "RunCommandFailed", code, message or ended, line=2)


RUNS = (
    _run("exit 1", 1),
    _run("exit 2", 2),
    _run("/etc/passwd", 126),
    _run("nosuch-command", 127),
    _run("exit 137", 137),
    _run("echo no space left on device; exit 3", 3),
    _run("kill -9 $$", 137, "RUN killed", "The RUN in line 2 was stopped by a signal (killed)."),
    _run("kill -15 $$", 143, "RUN killed", "The RUN in line 2 was stopped by a signal (terminated)."),
    _run("kill -11 $$", 139, "RUN killed", "The RUN in line 2 was stopped by a signal (segmentation fault)."),
    _run(
        '["/etc/passwd"]',
        1,
        "not executable",
        "The RUN in line 2 could not start /etc/passwd: it is not executable.",
    ),
    _run(
        '["/nosuch"]',
        1,
        "no such program",
        "The RUN in line 2 could not start: the image has no /nosuch.",
    ),
    _run(
        '["nosuch"]',
        1,
        "no such program",
        'The RUN in line 2 could not start: the image has no "nosuch".',
    ),
    Failing(
        "no group file",
        "FROM busybox AS b\nFROM scratch\nCOPY --from=b /bin/busybox /bin/busybox\nUSER 1000\n"
        'RUN ["/bin/busybox", "id"]\n',
        "DockerfileUnsupported",
        72,
        "The RUN in line 5 runs as a USER that is a number, for which this executor needs a file /etc/group in the "
        "image.",
        line=5,
    ),
    Failing(
        "no shell",
        "FROM scratch\nCOPY Dockerfile /x\nRUN true\n",
        "RunCommandFailed",
        1,
        "The RUN in line 3 could not start: the image has no /bin/sh.",
        line=3,
    ),
    Failing(
        "no shell",
        'FROM busybox\nSHELL ["/bin/zsh", "-c"]\n\nRUN true\n',
        "RunCommandFailed",
        1,
        "The RUN in line 4 could not start: the image has no /bin/zsh.",
        line=4,
    ),
    Failing(
        "another processor",
        'FROM busybox\nCOPY program /p\nRUN chmod 755 /p\nRUN ["/p"]\n',
        "RunCommandFailed",
        1,
        "The RUN in line 4 could not start /p: it is built for another architecture, or is a script without #!.",
        line=4,
        files={"program": "\x7fELF"},
    ),
    Failing(
        "cannot start",
        "FROM busybox\nRUN touch /f\nWORKDIR /f\nRUN true\n",
        "RunCommandFailed",
        1,
        "The RUN in line 4 could not start: fork/exec /bin/sh: not a directory.",
        line=4,
    ),
    Failing(
        "no such user",
        "FROM busybox\nUSER nosuch\nRUN true\n",
        "RunCommandFailed",
        1,
        "The image has no user or group nosuch, which USER or --chown names.",
        line=3,
    ),
    Failing(
        "no such user",
        "FROM busybox\nCOPY --chown=0:nosuch Dockerfile /x\n",
        "RunCommandFailed",
        1,
        "The image has no user or group nosuch, which USER or --chown names.",
        line=2,
    ),
)
