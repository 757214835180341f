"""What is said of the build context when it is packed."""

from imagebuild import Archive

from kubectl_imagebuild.text import size


def summary(archive: Archive) -> str:
    """How much is sent, and what .dockerignore leaves out of it; excluded directories count as one."""
    counts = archive.counts
    text = (
        f"Build context: {_number(counts.files, 'file')}, {size(counts.file_bytes)}, {size(archive.size)} compressed."
    )
    excluded = [
        *([_number(counts.excluded_files, "file")] if counts.excluded_files else []),
        *([_number(counts.excluded_directories, "directory")] if counts.excluded_directories else []),
    ]
    return f"{text} Excluded by .dockerignore: {' and '.join(excluded)}." if excluded else text


def _number(count: int, noun: str) -> str:
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun.removesuffix('y')}ies" if noun.endswith("y") else f"{count} {noun}s"
