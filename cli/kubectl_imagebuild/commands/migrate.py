"""The command migrate."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from kubectl_imagebuild.migration.migrate import migrate as migrate_objects
from kubectl_imagebuild.yaml_text import to_yaml


def migrate(
    *,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="YAML or JSON files; - for standard input.")],
) -> None:
    """Write objects of other build systems as ImageBuilds and TrackedImages, and say what has no counterpart.

    It reads Builds and BuildRuns of Shipwright, BuildConfigs of OpenShift, Images of kpack, and pods, Jobs and CronJobs
    that run kaniko. The manifests go to standard output, and what to look at to standard error. Nothing is created:

      oc get buildconfigs -o yaml | kubectl imagebuild migrate - > images.yaml
    """
    documents = [document for file in files for document in _read(file)]
    left = 0
    for migrated in migrate_objects(documents):
        for manifest in migrated.documents:
            sys.stdout.write(f"---\n{to_yaml(manifest)}")
        left += not migrated.documents
        for note in migrated.notes:
            sys.stderr.write(f"{migrated.of}: {note}\n")
    if left:
        raise ValueError(f"objects that could not be migrated: {left}; the lines above say why")


def _read(file: str) -> list[Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return [document for document in yaml.safe_load_all(text) if isinstance(document, dict)]
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: not text in UTF-8") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: not YAML: {' '.join(str(error).split())}") from error
