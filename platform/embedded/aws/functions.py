"""What the execution side knows of a function, and how its names are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from embedded.aws.errors import invalid

LATEST = "$LATEST"


@dataclass(frozen=True)
class FunctionName:
    """A function as an API caller may name it; region and qualifier are empty when not said."""

    name: str
    qualifier: str = ""
    region: str = ""


def parse_name(text: str) -> FunctionName:
    """Read a name, a partial ARN or an ARN, each with or without a qualifier; 400 for anything else."""
    parts = unquote(text).split(":")
    region = ""
    if parts[0] == "arn" and len(parts) >= 7 and parts[5] == "function":
        region, parts = parts[3], parts[6:]
    elif len(parts) >= 3 and parts[1] == "function":
        parts = parts[2:]
    if not parts[0] or len(parts) > 2:
        raise invalid(f"Not a function name or ARN: {unquote(text)}. Give a name, name:qualifier or a function ARN.")
    return FunctionName(parts[0], parts[1] if len(parts) == 2 else "", region)


@dataclass(frozen=True)
class AsyncRules:
    """How asynchronous events of a function are retried and where they end. Times in seconds, unscaled."""

    retries: int = 2
    max_age_s: int = 21_600
    on_success: str = ""
    on_failure: str = ""
    dead_letter: str = ""


@dataclass(frozen=True)
class Function:
    """One version of a function, ready to be executed. Two equal revisions run in the same warm environments."""

    region: str
    name: str
    version: str
    arn: str
    handler: str
    runtime: str
    memory_mb: int
    timeout_s: float
    revision: str
    code: Path | None
    layers: tuple[Path, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    reserved: int | None = None
    rules: AsyncRules = AsyncRules()
    logging: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """Region and name: what concurrency is counted by."""
        return self.region, self.name

    @property
    def log_group(self) -> str:
        """Where its log goes."""
        return str(self.logging.get("LogGroup") or f"/aws/lambda/{self.name}")

    @property
    def json_log(self) -> bool:
        """Whether platform lines and log records are JSON."""
        return self.logging.get("LogFormat") == "JSON"

    def missing_handler(self) -> str:
        """Why the handler cannot be imported, told before a process is started for nothing; empty when it may be
        there.
        """
        if self.runtime and not self.runtime.startswith("python"):
            return f"Unable to load '{self.handler}': only Python functions run locally, this one wants {self.runtime}"
        module = self.handler.rpartition(".")[0].replace(".", "/")
        if self.code is None or not module:
            return f"Unable to import module '{module or self.handler}': the function has no code here"
        for folder in (self.code, *self.layers):
            if (folder / f"{module}.py").is_file() or (folder / module).is_dir() or any(folder.glob(f"{module}.*.so")):
                return ""
        return f"Unable to import module '{module.replace('/', '.')}': No module named '{module.replace('/', '.')}'"
