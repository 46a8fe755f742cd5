"""What is deployed: the manifest of our functions and their zip files.

    python -m shipments.functions.package build/            code of every function, one zip each
    python -m shipments.functions.package build/ --layers   also the dependency layers (pip, needs a package index)

The zip keeps the path of the package, so a handler is `shipments.functions.<name>.handler.handler` as it is here.
The same source gives the same bytes: sorted names, one date, nothing compressed (zlib's output differs by version).
"""

import argparse
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RUNTIME = "python3.13"
ARCHITECTURE = "arm64"
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")
"""Wheels that run on Amazon Linux 2023 (glibc 2.34) on arm64."""
UNZIPPED_LIMIT = 250 * 1024 * 1024
"""Code and layers together (AWS Lambda quotas, 2026-11-23)."""
_DATE = (1980, 1, 1, 0, 0, 0)
_NOT_SHIPPED = {".pyc", ".md", ".zip"}


@dataclass(frozen=True)
class Function:
    """One deployable function. `size_budget` is bytes unzipped, code and dependencies together."""

    name: str
    folder: str
    description: str
    memory_mb: int
    timeout_s: int
    size_budget: int
    tags: dict[str, str]
    runtime: str = RUNTIME
    architecture: str = ARCHITECTURE

    @property
    def handler(self) -> str:
        return f"shipments.functions.{self.folder}.handler.handler"

    @property
    def requirements(self) -> Path:
        return HERE / self.folder / "requirements.txt"


def _tags(owner: str, capability: str) -> dict[str, str]:
    return {"owner": owner, "capability": capability}


FUNCTIONS = {
    function.name: function
    for function in (
        Function(
            name="shipments-render-pdf",
            folder="render_pdf",
            description="Prints shipping documents and ready-made HTML as PDF, a chunk of documents a call",
            memory_mb=1769,
            timeout_s=180,
            size_budget=120 * 1024 * 1024,
            tags=_tags("shipments", "render_pdf"),
        ),
        Function(
            name="shipments-fetch-documents",
            folder="fetch_documents",
            description="Fetches shipments' documents from a carrier's FTP, FTPS or SFTP server over one connection",
            memory_mb=1024,
            timeout_s=180,
            size_budget=60 * 1024 * 1024,
            tags=_tags("shipments", "fetch_documents"),
        ),
        Function(
            name="shipments-classify-messages",
            folder="classify_messages",
            description="Tells status, reason and language of what carriers write",
            memory_mb=512,
            timeout_s=60,
            size_budget=20 * 1024 * 1024,
            tags=_tags("shipments", "classify_messages"),
        ),
        Function(
            name="platform-wait-probe",
            folder="wait",
            description="Sleeps as long as it is told to: a probe for connectivity and time-outs",
            memory_mb=128,
            timeout_s=15,
            size_budget=1024 * 1024,
            tags=_tags("platform", "probe"),
        ),
    )
}
"""By name. The template, the publisher and the tests read this; 1769 MB is one whole vCPU (AWS Lambda quotas)."""


def build(name: str, target_dir: Path) -> Path:
    """Write <target_dir>/<name>.zip with the function's code and the shared runtime, and return its path.

    Raises KeyError, naming the functions there are, for an unknown name.
    """
    if name not in FUNCTIONS:
        raise KeyError(f"no function {name!r}; there is: {', '.join(FUNCTIONS)}")
    target_dir.mkdir(parents=True, exist_ok=True)
    target = target_dir / f"{name}.zip"
    files = [(path.relative_to(ROOT).as_posix(), path) for path in source_files(FUNCTIONS[name])]
    _write_zip(target, files)
    return target


def source_files(function: Function) -> Iterator[Path]:
    """The files of the function's own folder, of the runtime, and the empty packages above them."""
    yield ROOT / "shipments" / "__init__.py"
    yield HERE / "__init__.py"
    for folder in (HERE / "runtime", HERE / function.folder):
        for path in folder.rglob("*"):
            parts = path.relative_to(folder).parts
            hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
            if path.is_file() and not hidden and path.suffix not in _NOT_SHIPPED:
                yield path


def build_layer(name: str, target_dir: Path) -> Path | None:
    """Write <target_dir>/<name>-requirements.zip, a layer with the pinned dependencies for Lambda's arm64 Python.

    None for a function that needs nothing. Raises subprocess.CalledProcessError when pip does not find them all.
    """
    function = FUNCTIONS[name]
    if not any(line.strip() and not line.startswith("#") for line in function.requirements.read_text().splitlines()):
        return None
    target_dir.mkdir(parents=True, exist_ok=True)
    target = target_dir / f"{name}-requirements.zip"
    with tempfile.TemporaryDirectory() as scratch:
        _install(function, Path(scratch) / "python")
        _write_zip(target, [(path.relative_to(scratch).as_posix(), path) for path in _plain_files(Path(scratch))])
    return target


def _install(function: Function, folder: Path) -> None:
    """Unpack the wheels of the function's requirements and of what they require into `folder`."""
    version = function.runtime.removeprefix("python")
    options = [option for platform in PLATFORMS for option in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", version, *options]
    command += ["--target", str(folder), "--requirement", str(function.requirements)]
    subprocess.run(command, check=True, timeout=600)  # noqa: S603  # our own arguments only


def _plain_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")


def _write_zip(target: Path, files: list[tuple[str, Path]]) -> None:
    """A zip with fixed dates and rights and sorted names; written beside the target and then moved over it."""
    scratch = target.with_suffix(".zip.part")
    with zipfile.ZipFile(scratch, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, path.read_bytes())
    scratch.replace(target)


def main(arguments: list[str] | None = None) -> int:
    """Build every function's zip, and the layers when asked to."""
    parser = argparse.ArgumentParser(
        prog="python -m shipments.functions.package", description="Build the Lambda packages"
    )
    parser.add_argument("target", type=Path)
    parser.add_argument("--layers", action="store_true", help="also build the dependency layers")
    options = parser.parse_args(arguments)
    for name in FUNCTIONS:
        made = [build(name, options.target), build_layer(name, options.target) if options.layers else None]
        for path in filter(None, made):
            sys.stdout.write(f"{path} {path.stat().st_size}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
