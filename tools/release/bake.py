"""What `docker buildx bake --metadata-file` writes."""

import json
import re

from release.chart import IMAGES, Images
from release.errors import ReleaseError


def digests(metadata: str) -> Images:
    """The images that were pushed.

    Raises:
        ReleaseError: a target was not built, or not pushed.
    """
    document = json.loads(metadata)

    def digest(target: str) -> str:
        found = str(document.get(target, {}).get("containerimage.digest", ""))
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", found):
            raise ReleaseError(f"The metadata file has no digest of {target}. Build all targets with --push.")
        return found

    return Images({name: digest(name) for name in IMAGES})
