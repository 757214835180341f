"""An API server with the sample builds, for screenshots: a real one sets the creation time of what it stores to now."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from sample_builds import TRACKED, Clock, Json, Sample, samples

GROUP = "imagebuild.dev/v1alpha1"


@contextmanager
def sample_cluster(folder: Path) -> Iterator[Path]:
    """Serve the sample builds for as long as the block runs.

    Args:
        folder: For the kubeconfig.

    Yields:
        The path of the kubeconfig.
    """
    clock = Clock()
    found = samples(clock)
    documents = [_document(sample, str(number)) for number, sample in enumerate(found, 1)]
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            parts = url.path.strip("/").split("/")
            if query.get("watch"):
                self._send(b"")
                ended.wait()
            elif parts[-1] == "log":
                sample = next(each for each in found if f"{each.name}-1" == parts[-2])
                self._send(_log(sample, query["container"], clock))
            elif parts[-1] == "trackedimages":
                self._send_json(_list("TrackedImage", TRACKED))
            elif parts[-1] == "pods":
                uid = query["labelSelector"].rpartition("=")[2]
                self._send_json(_list("Pod", [_pod(found[int(uid) - 1], uid)] if found[int(uid) - 1].log else []))
            elif parts[-2] == "imagebuilds":
                names = (parts[-3], parts[-1])
                matching = (each for each in documents if _names(each) == names)
                self._send_json(next(matching))
            else:
                self._send_json(_list("ImageBuild", documents))

        def _send_json(self, document: Json) -> None:
            self._send(json.dumps(document).encode())

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as the standard library has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(_kubeconfig(server.server_address[1])), encoding="utf-8")
    try:
        yield kubeconfig
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _document(sample: Sample, number: str) -> Json:
    metadata = {
        "name": sample.name,
        "namespace": sample.namespace,
        "uid": number,
        "resourceVersion": number,
        "creationTimestamp": sample.created,
    }
    return {
        "apiVersion": GROUP,
        "kind": "ImageBuild",
        "metadata": metadata,
        "spec": sample.spec,
        "status": sample.status,
    }


def _names(document: Json) -> tuple[str, str]:
    return document["metadata"]["namespace"], document["metadata"]["name"]


def _list(kind: str, items: list[Json]) -> Json:
    return {"apiVersion": "v1", "kind": f"{kind}List", "metadata": {"resourceVersion": "1000"}, "items": items}


def _pod(sample: Sample, uid: str) -> Json:
    ended = {"terminated": {"exitCode": 0}}
    names = list(dict.fromkeys(container for container, _, _ in sample.log))
    return {
        "metadata": {
            "name": f"{sample.name}-1",
            "uid": f"pod-{uid}",
            "labels": {},
            "creationTimestamp": sample.created,
        },
        "spec": {"containers": [{"name": name} for name in names]},
        "status": {"phase": "Failed", "containerStatuses": [{"name": name, "state": ended} for name in names]},
    }


def _log(sample: Sample, container: str, clock: Clock) -> bytes:
    start = clock.now - timedelta(seconds=sample.ago)
    lines = [
        f"{(start + timedelta(seconds=at)).isoformat().replace('+00:00', 'Z')} {text}\n"
        for name, at, text in sample.log
        if name == container
    ]
    return "".join(lines).encode()


def _kubeconfig(port: int) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sample",
        "contexts": [{"name": "sample", "context": {"cluster": "sample", "user": "sample"}}],
        "clusters": [{"name": "sample", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "sample", "user": {}}],
    }
