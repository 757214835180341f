"""The program: errors as one line and an exit code."""

import sys

from imagebuild import ImageBuildError

from kubectl_imagebuild.app import app
from kubectl_imagebuild.completion import PROGRAM, VARIABLE, prepare
from kubectl_imagebuild.outcome import Exit, LeftError, exit_of_error


def main() -> None:
    """Run the command of the command line, and end with its exit code."""
    prepare()
    try:
        app(prog_name=PROGRAM, complete_var=VARIABLE)
    except ImageBuildError as error:
        code, text = exit_of_error(error), str(error)
    except LeftError:
        code, text = Exit.LEFT, ""
    except KeyboardInterrupt:
        code, text = Exit.LEFT, ""
    except BrokenPipeError:
        code, text = Exit.OK, ""
    except (OSError, ValueError) as error:
        code, text = Exit.USAGE, str(error)
    if text:
        sys.stderr.write(f"error: {' '.join(text.split())}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
