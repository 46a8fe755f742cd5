"""What moto forgets about functions and layers, remembered here as the calls pass through, and laid over its answers.

Local-only extension, for publishing a sample fleet that looks lived in: the tags ``local:code-size`` (bytes) and
``local:last-modified`` (ISO 8601) of a function replace what CodeSize and LastModified would say, and a layer
version's LicenseInfo ``local:code-size=BYTES`` replaces its size. These markers are taken off before moto sees them,
so no answer shows them.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from embedded.aws.errors import invalid

SUPPLEMENTED = (
    "DeadLetterConfig",
    "LoggingConfig",
    "EphemeralStorage",
    "TracingConfig",
    "Architectures",
    "FileSystemConfigs",
)
"""Configuration members that moto drops, at create or at update."""
GET_ONLY = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
)
"""Members that ListFunctions does not return (AWS Lambda API reference, 2026-11-23)."""
CODE_SIZE, LAST_MODIFIED = "local:code-size", "local:last-modified"


def lambda_time(moment: datetime) -> str:
    """LastModified as Lambda writes it: ``2026-11-23T10:00:00.000+0000``."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def split_local_tags(tags: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Ordinary tags and the local markers."""
    local = {key: value for key, value in tags.items() if key in (CODE_SIZE, LAST_MODIFIED)}
    return {key: value for key, value in tags.items() if key not in local}, local


@dataclass
class Version:
    """One version of a function ($LATEST or published)."""

    members: dict[str, Any] = field(default_factory=dict)
    revision_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    last_modified: str = field(default_factory=lambda: lambda_time(datetime.now(UTC)))
    code_size: int | None = None

    def touch(self) -> None:
        """The configuration or code has changed."""
        self.revision_id = str(uuid.uuid4())
        self.last_modified = lambda_time(datetime.now(UTC))

    def mark(self, local: Mapping[str, str]) -> None:
        """Apply local markers; 400 when one cannot be read."""
        try:
            if CODE_SIZE in local:
                self.code_size = int(local[CODE_SIZE])
            if LAST_MODIFIED in local:
                moment = datetime.fromisoformat(local[LAST_MODIFIED])
                self.last_modified = lambda_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        except ValueError as problem:
            raise invalid(
                f"{CODE_SIZE} takes a number of bytes, {LAST_MODIFIED} an ISO 8601 time: {problem}"
            ) from problem


@dataclass
class Remembered:
    """A function's versions and its reserved concurrency (None: no reservation, which is not 0)."""

    latest: Version = field(default_factory=Version)
    published: dict[str, Version] = field(default_factory=dict)
    reserved: int | None = None


@dataclass(frozen=True)
class LayerContent:
    """What a layer version holds: the digest of its zip and the size to be shown, if it is not the real one."""

    sha256: str
    code_size: int | None = None


class Overlay:
    """Thread-safe by one lock; every method is a few dictionary steps."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._functions: dict[tuple[str, str], Remembered] = {}
        self._layers: dict[str, LayerContent] = {}

    def create(self, region: str, name: str, members: Mapping[str, Any], local: Mapping[str, str]) -> None:
        """A function exists now."""
        version = Version({key: members[key] for key in SUPPLEMENTED if members.get(key)})
        version.mark(local)
        with self._lock:
            self._functions[(region, name)] = Remembered(version)

    def update(self, region: str, name: str, members: Mapping[str, Any], *, new_code: bool = False) -> None:
        """Its $LATEST has changed. New code forgets a size that was only stated."""
        with self._lock:
            latest = self.function(region, name).latest
            latest.members |= {key: members[key] for key in SUPPLEMENTED if key in members}
            latest.touch()
            if new_code:
                latest.code_size = None

    def publish(self, region: str, name: str, version: str) -> None:
        """$LATEST as it is becomes a numbered version; publishing the same again changes nothing."""
        with self._lock:
            function = self.function(region, name)
            function.published.setdefault(version, deepcopy(function.latest))

    def mark(self, region: str, name: str, local: Mapping[str, str]) -> None:
        """Local markers that came by TagResource."""
        with self._lock:
            self.function(region, name).latest.mark(local)

    def reserve(self, region: str, name: str, reserved: int | None) -> None:
        """Reserved concurrency was set or removed."""
        with self._lock:
            self.function(region, name).reserved = reserved

    def forget(self, region: str, name: str) -> None:
        """The function was deleted."""
        with self._lock:
            self._functions.pop((region, name), None)

    def function(self, region: str, name: str) -> Remembered:
        """What is remembered of a function."""
        with self._lock:
            return self._functions.setdefault((region, name), Remembered())

    def add_layer(self, arn: str, content: LayerContent) -> None:
        """A layer version exists now."""
        with self._lock:
            self._layers[arn] = content

    def layer(self, arn: str) -> LayerContent | None:
        """What a layer version holds, None when it was not published here."""
        with self._lock:
            return self._layers.get(arn)

    def configuration(self, region: str, moto: dict[str, Any]) -> dict[str, Any]:
        """A FunctionConfiguration as AWS would answer it."""
        config = {key: value for key, value in moto.items() if value is not None}
        remembered = self.function(region, config["FunctionName"])
        with self._lock:
            version = remembered.published.get(str(config.get("Version")), remembered.latest)
            config |= version.members
            config |= {"RevisionId": version.revision_id, "LastModified": version.last_modified}
            if version.code_size is not None:
                config["CodeSize"] = version.code_size
        logging = {
            "LogFormat": "Text",
            "LogGroup": f"/aws/lambda/{config['FunctionName']}",
            **config.get("LoggingConfig", {}),
        }
        if logging["LogFormat"] == "JSON":
            logging = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **logging}
        config["LoggingConfig"] = logging
        if not config.get("DeadLetterConfig", {}).get("TargetArn", "-"):
            del config["DeadLetterConfig"]
        config["Layers"] = [{**layer, "CodeSize": self.layer_size(layer)} for layer in config.get("Layers", [])]
        return config

    def layer_size(self, layer: Mapping[str, Any]) -> int:
        """Size of a function's layer entry (``Arn``, ``CodeSize``)."""
        content = self.layer(str(layer["Arn"]))
        return int(layer["CodeSize"]) if content is None or content.code_size is None else content.code_size

    def layer_version(self, moto: dict[str, Any]) -> dict[str, Any]:
        """A layer version with the size that was stated for it."""
        content = self.layer(str(moto.get("LayerVersionArn")))
        if content and content.code_size is not None and "Content" in moto:
            return {**moto, "Content": {**moto["Content"], "CodeSize": content.code_size}}
        return moto
