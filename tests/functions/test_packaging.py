"""What is deployed: reproducible zips that run by themselves, sizes within budget, a template that agrees and lints."""

import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipments.functions import package
from shipments.functions.package import FUNCTIONS, HERE, UNZIPPED_LIMIT, Function, build

NAMES = sorted(FUNCTIONS)


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions, read as plain values."""


def _short_function(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return f"{suffix} {node.value}"
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else None


_Loader.add_multi_constructor("!", _short_function)


def installed_size(requirement: str, seen: set[str]) -> int:
    """Bytes that `requirement` and all it requires take in this environment, by their RECORD files."""
    name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")
    if name in seen:
        return 0
    seen.add(name)
    distribution = metadata.distribution(name)
    size = sum(file.size or 0 for file in distribution.files or [] if file.suffix != ".pyc")
    for needed in distribution.requires or []:
        wanted, _, marker = needed.partition(";")
        extras = re.search(r"\[(.*?)\]", requirement)
        if "extra" not in marker or (extras and any(extra.strip() in marker for extra in extras[1].split(","))):
            size += installed_size(wanted.strip(), seen) if _is_installed(wanted) else 0
    return size


def _is_installed(requirement: str) -> bool:
    name = re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]
    return any(True for _ in metadata.distributions(name=name))


def requirements(function: Function) -> list[str]:
    lines = function.requirements.read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_source_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    first, second = build(name, tmp_path / "a"), build(name, tmp_path / "b")
    assert first.name == f"{name}.zip" and first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
    assert names == sorted(names) and len(names) == len(set(names))
    assert "shipments/__init__.py" in names and not any("__pycache__" in entry for entry in names)


@pytest.mark.parametrize("name", NAMES)
def test_a_zip_holds_one_function_and_the_runtime_only(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(build(name, tmp_path)) as archive:
        folders = {entry.split("/")[2] for entry in archive.namelist() if entry.count("/") > 2}
    assert folders == {"runtime", FUNCTIONS[name].folder}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_handler_is_importable_from_the_zip_alone(name: str, tmp_path: Path) -> None:
    unpacked = tmp_path / "task"
    with zipfile.ZipFile(build(name, tmp_path)) as archive:
        archive.extractall(unpacked)
    module, _, attribute = FUNCTIONS[name].handler.rpartition(".")
    code = f"import sys, {module} as m; assert callable(m.{attribute}); print('django' in sys.modules, m.__file__)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(  # noqa: S603  # our own arguments
        command, cwd=unpacked, env={"PYTHONPATH": str(unpacked)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    loads_django, file = done.stdout.split()
    assert loads_django == "False" and file.startswith(str(unpacked))


@pytest.mark.parametrize("name", NAMES)
def test_code_and_dependencies_fit_their_budget(name: str) -> None:
    function = FUNCTIONS[name]
    code = sum(path.stat().st_size for path in package.source_files(function))
    seen: set[str] = set()
    total = code + sum(installed_size(line, seen) for line in requirements(function))
    assert total <= function.size_budget <= UNZIPPED_LIMIT, f"{name}: {total / 2**20:.1f} MB of {sorted(seen)}"
    assert not seen & {"django", "boto3", "celery", "numpy", "scikit-learn"}


@pytest.mark.parametrize("name", NAMES)
def test_pins_are_exact_and_are_what_the_tests_ran_with(name: str) -> None:
    for line in requirements(FUNCTIONS[name]):
        wanted, version = line.split("==")
        assert metadata.version(wanted.split("[")[0]) == version


def test_an_unknown_function_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="shipments-render-pdf"):
        build("nope", tmp_path)


def test_the_template_agrees_with_the_manifest() -> None:
    template = yaml.load((HERE / "template.yaml").read_text(), Loader=_Loader)  # noqa: S506  # a SafeLoader
    defaults = template["Globals"]["Function"]
    found = {
        resource["Properties"]["FunctionName"]: resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    assert set(found) == set(FUNCTIONS)
    for name, function in FUNCTIONS.items():
        properties = found[name]
        assert properties["Handler"] == function.handler and properties["CodeUri"] == f"build/{name}.zip"
        assert (properties["MemorySize"], properties["Timeout"]) == (function.memory_mb, function.timeout_s)
        assert properties["Tags"] == function.tags and properties["Description"] == function.description
        assert (defaults["Runtime"], defaults["Architectures"]) == (function.runtime, [function.architecture])
        assert properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Type"] == "SQS"
        assert ("Layers" in properties) == bool(requirements(function))


@pytest.mark.slow
def test_cfn_lint_accepts_the_template() -> None:
    tool = shutil.which("cfn-lint", path=str(Path(sys.executable).parent)) or shutil.which("cfn-lint")
    if tool is None:
        pytest.skip("cfn-lint is not installed")
    done = subprocess.run(  # noqa: S603  # our own arguments
        [tool, str(HERE / "template.yaml")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout
