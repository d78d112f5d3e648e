"""Lighthouse, where it is installed, on pages served as a web server serves them."""

import gzip
import json
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from browser_pages import find_chromium

LOCKED = Path(__file__).parents[1] / "lighthouse"
"""Where package-lock.json says which Lighthouse; `npm ci` installs it there."""
INSTALL = f"npm ci --ignore-scripts --prefix {LOCKED.relative_to(LOCKED.parents[1])}"
LONGEST = 300
"""Seconds that one look at a page may take."""

_CATEGORIES = ("performance", "accessibility", "best-practices")
_FLAGS = "--headless --no-sandbox --disable-gpu"


@dataclass(frozen=True)
class Scores:
    """What Lighthouse gives a page: scores up to 100, the shift of its layout, what failed."""

    performance: int
    accessibility: int
    best_practices: int
    shift: float
    failed: tuple[str, ...]


def lighthouse_in(folder):
    """Return the command that runs the Lighthouse installed in a folder; none where it is not."""
    program = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    node = shutil.which("node")
    return (node, str(program)) if node and program.is_file() else None


def install_lighthouse(folder):
    """Install the locked Lighthouse into a folder, where node and npm are there."""
    if lighthouse_in(folder) is None and shutil.which("npm"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(LOCKED / name, folder)
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=folder, check=False, timeout=600)
    return lighthouse_in(folder)


class _Handler(SimpleHTTPRequestHandler):
    """Sends files, compressed where the server is told to; says nothing on the console."""

    def __init__(self, *args, is_zipped, **options):
        self.is_zipped = is_zipped
        super().__init__(*args, **options)

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)) + "; charset=utf-8")
        if self.is_zipped:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def served(folder, *, is_zipped):
    """Serve a folder on this machine alone, and give its address: Lighthouse refuses files."""
    handler = partial(_Handler, directory=str(folder), is_zipped=is_zipped)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def run_lighthouse(command, address, *, preset="phone"):
    """Look at a page once; `preset` is phone (a slow one, as Lighthouse usually does) or desktop.

    Raises
    ------
    RuntimeError
        When Lighthouse could not look at the page, or not in time.
    """
    asked = [
        *command, address, "--quiet", "--output=json", "--no-enable-error-reporting",
        f"--only-categories={','.join(_CATEGORIES)}", f"--chrome-flags={_FLAGS}",
        *(("--preset=desktop",) if preset == "desktop" else ()),
    ]  # fmt: skip
    environment = {**os.environ, "CHROME_PATH": find_chromium() or ""}
    try:
        done = subprocess.run(
            asked, capture_output=True, text=True, check=False, timeout=LONGEST, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{address}: Lighthouse took more than {LONGEST} s") from error
    told = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    if not told or told.get("runtimeError"):
        raise RuntimeError(f"{address}: {told.get('runtimeError') or done.stderr[-2000:]}")
    scores = [round(100 * (told["categories"][name]["score"] or 0)) for name in _CATEGORIES]
    audits = told["audits"]
    weighed = [
        audits[part["id"]]
        for name in _CATEGORIES
        for part in told["categories"][name]["auditRefs"]
        if part["weight"]
    ]
    failed = [f"{one['id']} {one.get('displayValue', '')}".strip() for one in weighed
              if one["score"] is not None and one["score"] < 0.9]  # fmt: skip
    return Scores(*scores, audits["cumulative-layout-shift"]["numericValue"], tuple(failed))


def best_of(command, address, *, tries, enough=100, preset="phone"):
    """Look until the performance is enough, at most so often, and take the look that was best.

    The other scores and the shift do not depend on the machine: the worst of all looks is taken.
    """
    looks = []
    while len(looks) < tries and all(look.performance < enough for look in looks):
        looks.append(run_lighthouse(command, address, preset=preset))
    return Scores(
        max(look.performance for look in looks),
        min(look.accessibility for look in looks),
        min(look.best_practices for look in looks),
        max(look.shift for look in looks),
        tuple(sorted({name for look in looks for name in look.failed})),
    )
