"""kaniko-shim's entry point. The environment is emptied before anything else is imported."""

import sys


def main() -> int:
    """Run the shim; returns the exit code."""
    from kaniko_shim import environment  # noqa: PLC0415 - see above

    variables = environment.take()

    from kaniko_shim.run import run  # noqa: PLC0415 - see above

    return run(sys.argv[1:], variables)


if __name__ == "__main__":
    sys.exit(main())
