"""/healthz: the process answers. /readyz: what it needs answers too. Both are for probes and need no login."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from core import slots

logger = logging.getLogger(__name__)


@login_not_required
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """503 when a critical check fails; the answer names which, without addresses or secrets."""
    checks = {check.name: _run(check) for check in slots.health_checks}
    ready = all(result["ok"] or not result["critical"] for result in checks.values())
    return JsonResponse({"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503)


def _run(check: slots.HealthCheck) -> dict[str, Any]:
    started = time.monotonic()
    try:
        detail, ok = check.check(), True
    except Exception as error:  # noqa: BLE001  # any failure of a probe means "not ready", whatever its type
        logger.warning("health check failed check=%s error=%s", check.name, error)
        detail, ok = f"failed: {type(error).__name__}", False
    milliseconds = round((time.monotonic() - started) * 1000, 1)
    return {"ok": ok, "critical": check.critical, "detail": detail, "ms": milliseconds}
