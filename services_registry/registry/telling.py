"""What we tell subscribers of webhooks about functions' revisions. Called in the transaction of the change."""

from __future__ import annotations

from core.webhooks import emit, subscribed
from services_registry.models import FunctionRevision

FUNCTION_CHANGED = "function.changed"
_FACTS = ("id", "name", "arn", "account", "region", "owner", "capability", "runbook", "sample")


def tell_changed(revision: FunctionRevision) -> None:
    """One revision. Who did it is asked of CloudTrail afterwards: `GET /api/v1/revisions/<id>/` tells then."""
    if not subscribed(FUNCTION_CHANGED):
        return
    function = {name: getattr(revision.function, name) for name in _FACTS}
    said = {name: getattr(revision, name) for name in ("id", "seen", "changed", "changes")}
    emit(FUNCTION_CHANGED, [{"function": function, "revision": said}])
