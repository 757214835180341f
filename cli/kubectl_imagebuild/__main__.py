"""The program: errors as one line and an exit code."""

import sys
import traceback

from imagebuild import ImageBuildError

from kubectl_imagebuild.app import app
from kubectl_imagebuild.completion import PROGRAM, VARIABLE, prepare
from kubectl_imagebuild.outcome import Exit, LeftError, exit_of_error
from kubectl_imagebuild.standard_streams import protect


def main() -> None:
    """Run the command of the command line, and end with its exit code."""
    prepare()
    protect()
    try:
        app(prog_name=PROGRAM, complete_var=VARIABLE)
    except ImageBuildError as error:
        code, text = exit_of_error(error), str(error)
    except (LeftError, KeyboardInterrupt):
        code, text = Exit.LEFT, ""
    except (OSError, ValueError) as error:
        code, text = Exit.USAGE, str(error)
    except Exception:  # noqa: BLE001 - Python would end with the exit code of a build that failed
        traceback.print_exc()
        code, text = Exit.INTERNAL, "this is a fault of kubectl imagebuild; please report it with the lines above"
    if text:
        sys.stderr.write(f"error: {' '.join(text.split())}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
