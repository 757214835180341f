"""Entry point of kaniko-shim. It empties the environment before it imports anything else."""

import _signal  # type: ignore[import-not-found] # the built-in part of signal, which alone takes no time
import sys


def main() -> int:
    """Run the shim; returns the exit code."""
    # Hold back signals until there is a handler for them: the first process of a container would lose them.
    _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGTERM, _signal.SIGINT))

    from kaniko_shim import environment  # noqa: PLC0415 - see above

    variables = environment.take()

    from kaniko_shim.run import run  # noqa: PLC0415 - see above

    return run(sys.argv[1:], variables)


if __name__ == "__main__":
    sys.exit(main())
