"""crds.yaml: all CRDs in one file, for those who install them apart from the chart."""

from pathlib import Path

from release.tree import CRDS


def bundle(folder: Path = CRDS) -> str:
    """The text of all CRDs as one stream of YAML documents."""
    documents = (file.read_text(encoding="utf-8").removeprefix("---\n") for file in sorted(folder.glob("*.yaml")))
    return "".join(f"---\n{document.rstrip()}\n" for document in documents)
