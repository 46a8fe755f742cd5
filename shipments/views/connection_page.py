"""What the pages about connections show, put together: plain values, so that templates decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.pagination import KeysetPage, capped_count
from shipments.choices import TONES, Health, RemoteState
from shipments.connections.asking import Asked, Shown
from shipments.connections.health import health_of, resting_words
from shipments.connections.sweeps import next_sweep_of, window_open
from shipments.connections.words import WHAT_TO_DO
from shipments.models import CarrierConnection, RemoteFile

MOST_COUNTED = 1_000
STEPS = {
    "resolve": gettext_lazy("Find the server by its name"),
    "connect": gettext_lazy("Connect"),
    "tls": gettext_lazy("Encrypt, and check the certificate"),
    "host_key": gettext_lazy("Check the host key"),
    "login": gettext_lazy("Log in"),
    "list": gettext_lazy("List the directory"),
}
RETRYABLE = {RemoteState.STABLE, RemoteState.GONE, RemoteState.QUARANTINED, RemoteState.UNMATCHED}


def head_of(connection: CarrierConnection) -> dict[str, Any]:
    """State in one badge and one sentence, and when it is looked at next."""
    health, now = health_of(connection), timezone.now()
    sentences = {
        Health.OK: "",
        Health.NEW: _("Nobody has connected yet. Try it before it is needed."),
        Health.TROUBLED: connection.last_error,
        Health.OPEN: resting_words(connection),
        Health.PAUSED: _("Paused by %(who)s: %(why)s") % {"who": connection.paused_by, "why": connection.pause_reason},
        Health.OFF: _("Switched off in the admin."),
    }
    return {
        "connection": connection,
        "health": health,
        "tone": TONES.get(health, "secondary"),
        "sentence": sentences[health],
        "listed": connection.last_listing.get("listed"),
        "new": connection.last_listing.get("new"),
        "next_sweep": next_sweep_of(connection, now),
        "window_closed": bool(connection.sweep_minutes) and not window_open(connection, now),
    }


def counts_of(connection: CarrierConnection, chosen: str) -> list[dict[str, Any]]:
    """A chip for each state that has files; at most a thousand are counted."""
    chips = []
    for state in RemoteState:
        count, more = capped_count(RemoteFile.objects.filter(connection=connection, state=state), MOST_COUNTED)
        if count or state == chosen:
            label = f"{count:,}+" if more else f"{count:,}"
            chips.append({"state": state, "label": state.label, "count": label, "chosen": state == chosen})
    return chips


def file_rows(page: KeysetPage[RemoteFile]) -> list[dict[str, Any]]:
    return [file_row(row) for row in page.rows]


def file_row(row: RemoteFile) -> dict[str, Any]:
    return {
        "file": row,
        "tone": TONES.get(row.state, "secondary"),
        "said": row.last_error or row.clean_error,
        "can_retry": row.state in RETRYABLE,
        "can_release": row.state == RemoteState.SEEN,
        "history": [_happened(*entry) for entry in reversed(row.history)],
    }


def _happened(at: str, state: str, words: str) -> dict[str, Any]:
    tone = TONES.get(state, "secondary")
    return {"at": datetime.fromisoformat(at), "label": RemoteState(state).label, "tone": tone, "words": words}


def steps_of(asked: Asked) -> list[dict[str, Any]]:
    """The steps of a try, those that were not reached among them."""
    steps = [
        {
            "label": STEPS.get(str(step["step"]), step["step"]),
            "word": _("done") if step["ok"] else _("failed"),
            "tone": "green" if step["ok"] else "red",
            "said": step["said"],
            "hint": "" if step["ok"] else WHAT_TO_DO.get(str(step.get("type")), ""),
            "ms": step["ms"],
        }
        for step in asked.value.get("steps", [])
    ]
    return steps + [
        {"label": STEPS.get(str(name), name), "word": _("not reached"), "tone": "secondary", "said": "", "ms": None}
        for name in asked.value.get("not_reached", [])
    ]


def offered_key(connection: CarrierConnection, asked: Asked) -> str:
    """The fingerprint that an unknown server offered; one that differs from a pinned one is never offered to be pinned."""
    for step in asked.value.get("steps", []):
        if step.get("type") == "HostKeyUnknown" and not connection.host_key:
            return next((word.rstrip(":,;") for word in str(step["said"]).split() if word.startswith("SHA256:")), "")
    return ""


def tried_context(value: Mapping[str, Any], shown: list[Shown]) -> dict[str, Any]:
    """The live listing with what the pattern makes of each file; those that fit first."""
    fit = [one for one in shown if one.taken]
    return {
        "shown": [{"file": one, **_verdict(one)} for one in [*fit, *(one for one in shown if not one.taken)]],
        "fit": len(fit),
        "matched": sum(one.match.shipment is not None for one in fit),
        "total": value.get("total", len(shown)),
        "cut": value.get("cut"),
        "unread": value.get("unread"),
        "folders": value.get("folders", []),
        "refused": value.get("refused", []),
    }


def _verdict(one: Shown) -> dict[str, str]:
    if not one.taken:
        return {"word": _("does not fit"), "tone": "secondary"}
    if one.match.shipment is None:
        return {"word": _("no delivery"), "tone": "yellow"}
    return {"word": _("matches"), "tone": "green"}
