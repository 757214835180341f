"""kaniko-shim's entry point. The environment is emptied before anything else is imported."""

import _signal  # type: ignore[import-not-found] # the built-in part of signal, which alone takes no time
import sys


def main() -> int:
    """Run the shim; returns the exit code."""
    # A signal that comes before there is a handler for it waits: the first process of a container would lose it.
    _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGTERM, _signal.SIGINT))

    from kaniko_shim import environment  # noqa: PLC0415 - see above

    variables = environment.take()

    from kaniko_shim.run import run  # noqa: PLC0415 - see above

    return run(sys.argv[1:], variables)


if __name__ == "__main__":
    sys.exit(main())
