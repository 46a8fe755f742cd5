"""From a name to an executable function: read from the control plane, remembered until a call changes it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import Any
from urllib.parse import quote

from embedded.aws.calls import Call
from embedded.aws.code_store import CodeStore
from embedded.aws.control_plane import ControlPlane
from embedded.aws.errors import ApiError
from embedded.aws.functions import AsyncRules, Function
from embedded.aws.overlay import Overlay

_KEEP_S = 60.0  # every change passes through the front and is heard of; this only bounds what a mistake would cost


class Directory:
    """``resolve`` is what an invocation calls first: a dictionary look-up when the function is known."""

    def __init__(self, control: ControlPlane, overlay: Overlay, code: CodeStore) -> None:
        self._control = control
        self._overlay = overlay
        self._code = code
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], dict[str, tuple[float, Function]]] = defaultdict(dict)

    def forget(self, region: str, name: str) -> None:
        """The function has changed."""
        with self._lock:
            self._known.pop((region, name), None)

    def resolve(self, region: str, name: str, qualifier: str = "") -> Function:
        """The version a name and qualifier mean; 404 when there is none."""
        with self._lock:
            known = self._known.get((region, name), {})
            found = known.get(qualifier)
        if found and found[0] > time.monotonic():
            return found[1]
        known = self._known[(region, name)]  # the same dictionary is dropped when a change comes while we read
        function = self._read(region, name, qualifier)
        known[qualifier] = (time.monotonic() + _KEEP_S, function)
        return function

    def _read(self, region: str, name: str, qualifier: str) -> Function:
        suffix = f"?Qualifier={quote(qualifier)}" if qualifier else ""
        path = f"/2015-03-31/functions/{quote(name, safe='')}"
        answer = self._control.handle(Call("GET", path + suffix, region))
        if answer.status != 200:
            where = f"arn:aws:lambda:{region}:function:{name}{':' if qualifier else ''}{qualifier}"
            message = str(
                answer.json().get("Message") or answer.json().get("message") or f"Function not found: {where}"
            )
            raise ApiError(404, "ResourceNotFoundException", message)
        rules = self._control.handle(
            Call("GET", f"/2019-09-25/functions/{quote(name, safe='')}/event-invoke-config", region)
        )
        return self._build(region, answer.json(), rules.json() if rules.status == 200 else {})

    def _build(self, region: str, found: dict[str, Any], rules: dict[str, Any]) -> Function:
        config = found["Configuration"]
        destinations = rules.get("DestinationConfig") or {}
        layers = [self._overlay.layer(str(layer["Arn"])) for layer in config.get("Layers", [])]
        trees = [self._code.tree(layer.sha256, folder="python") for layer in layers if layer and layer.sha256]
        return Function(
            region=region,
            name=config["FunctionName"],
            version=str(config["Version"]),
            arn=config["FunctionArn"],
            handler=config.get("Handler", ""),
            runtime=config.get("Runtime", ""),
            memory_mb=int(config["MemorySize"]),
            timeout_s=float(config["Timeout"]),
            revision=f"{config['RevisionId']} {config.get('CodeSha256', '')}",
            code=self._code.tree(config["CodeSha256"]) if config.get("CodeSha256") else None,
            layers=tuple(tree for tree in trees if tree),
            variables=dict(config.get("Environment", {}).get("Variables", {})),
            reserved=found.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            rules=AsyncRules(
                retries=int(rules.get("MaximumRetryAttempts", 2)),
                max_age_s=int(rules.get("MaximumEventAgeInSeconds", 21_600)),
                on_success=(destinations.get("OnSuccess") or {}).get("Destination", ""),
                on_failure=(destinations.get("OnFailure") or {}).get("Destination", ""),
                dead_letter=config.get("DeadLetterConfig", {}).get("TargetArn", ""),
            ),
            logging=config["LoggingConfig"],
        )
