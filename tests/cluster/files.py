"""Configuration files that running parts watch."""

import json
from pathlib import Path


def write(path: Path, content: str) -> Path:
    """Write a file unless it has this content already: some parts end when theirs is touched."""
    if not path.exists() or path.read_text() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}")
        draft.write_text(content)
        draft.rename(path)
    return path


def write_json(path: Path, content: dict[str, object]) -> Path:
    """Write an object as JSON, which is YAML as well."""
    return write(path, json.dumps(content, indent=1))
