"""docs/assets/serve-*.webp: `kubectl imagebuild serve` with sample builds, as Chromium shows it.

Run by `make screenshots`, by hand: the pictures depend on the machine's fonts and on the time of day.
"""

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from sample_server import sample_cluster  # noqa: E402 - the path is set above
from support.browser import Page, running_browser  # noqa: E402 - same

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
ASSETS = ROOT / "docs" / "assets"
LIST, BUILD = "/", "/team-web/storefront-2.4.0"
#: File, path, width, height.
PICTURES = (("list", LIST, 1200, 790), ("build", BUILD, 1200, 1080))


def main() -> None:
    """Take all pictures, in light and dark."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            sample_cluster(folder) as kubeconfig,
            subprocess.Popen(
                [PROGRAM, "serve", "--kubeconfig", kubeconfig],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            ) as server,
        ):
            try:
                url = next(iter(server.stdout or ())).strip()
                with running_browser(folder) as browser, browser.page(url) as page:
                    for scheme in ("light", "dark"):
                        page.prefer(scheme)
                        for file, path, width, height in PICTURES:
                            _take(
                                page,
                                f"{url.partition('/#')[0]}{path}",
                                ASSETS / f"serve-{file}-{scheme}.webp",
                                (width, height),
                            )
            finally:
                server.terminate()


def _take(page: Page, url: str, file: Path, size: tuple[int, int]) -> None:
    page.resize(*size, scale=1.25)
    page.open(url)
    page.until("document.querySelectorAll('.builds tbody tr, .waterfall .span.step').length > 5")
    if "/team-" in url:
        page.until("document.querySelector('.log .state').textContent === 'End of the log.'")
    page.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    file.write_bytes(page.picture("webp"))
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
