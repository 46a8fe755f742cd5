"""One delivery, made or changed by a person or a tool: checked as rows of files are, audited with before and after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from shipments.deliveries.bulk import understood_object
from shipments.deliveries.columns import PARTY, Problem, clean
from shipments.deliveries.upsert import upsert_each
from shipments.events.parsing import Said
from shipments.events.storing import store
from shipments.models import Shipment
from shipments.reasons import reasons_of
from shipments.status.derive import is_ahead

TEXTS = ("reference", "customer", "incoterm", "notes")
PARTIES = ("sender", "recipient")
CHANGEABLE = (*TEXTS, *PARTIES, "parcels", "promised")
BY_EVENT = ("status", "reason", "status_at")
TOLD = ("reference", "customer", "incoterm", "promised")
"""What the audit trail keeps the values of; addresses and contents stay out of it."""
IDENTITY = ("carrier", "tracking_number")


class ExistsError(RefusedError):
    """The carrier has a delivery of that number."""

    code = "exists"

    def __init__(self, shipment_id: int) -> None:
        words = _("This carrier already has a delivery of that number (%(id)d). Change that one.") % {"id": shipment_id}
        super().__init__(words, fields={"tracking_number": [words]})
        self.shipment_id = shipment_id


class StatusNotPossibleError(RefusedError):
    """By the rules of statuses, what happened to the delivery says otherwise."""

    code = "status_not_possible"


@transaction.atomic
def create_shipment(stated: Mapping[str, Any], *, actor: Any, source: str = "api") -> Shipment:
    """A new delivery from the fields of an import row.

    Raises:
        ValidationError: a field is not right, with its code.
        ExistsError: there is one.
    """
    row = understood_object(stated)
    _refuse(row.problems)
    code, number = row.key
    known = Shipment.objects.filter(carrier__code=code, tracking_number=number).values_list("pk", flat=True).first()
    if known:
        raise ExistsError(known)
    outcome = upsert_each([(code, row.values)], {code: row.carrier_name})[0]
    if outcome.said != "created":  # somebody else was quicker; nothing of ours stays
        raise ExistsError(outcome.shipment_id)
    shipment = Shipment.objects.select_related("carrier").get(pk=outcome.shipment_id)
    record(actor=actor, verb="shipment.added", target=shipment, source=source, summary=f"{code} {number}")
    return shipment


@transaction.atomic
def change_shipment(shipment_id: int, stated: Mapping[str, Any], *, actor: Any, source: str = "api") -> Shipment:
    """Change what is stated, and nothing else. Null or an empty text takes a value away; parties are merged part by part.

    A status becomes an event of this moment (or of `status_at`), because statuses follow from events.

    Raises:
        ValidationError: a field is not right, or is none that people change, with its code.
        StatusNotPossibleError: the status does not follow from that event; nothing is changed.
        Shipment.DoesNotExist: it is gone.
    """
    shipment = Shipment.objects.select_for_update(of=("self",)).select_related("carrier").get(pk=shipment_id)
    _refuse_names(stated)
    wanted = _wanted(shipment, stated)
    if wanted:
        before = {name: _plain(getattr(shipment, name)) for name in wanted if name in TOLD}
        Shipment.objects.filter(pk=shipment.pk).update(**wanted)  # the database moves `updated`
        after = {name: _plain(value) for name, value in wanted.items() if name in TOLD}
        record(actor=actor, verb="shipment.changed", target=shipment, source=source,
               summary=f"{shipment.tracking_number}: {', '.join(wanted)}", before=before, after=after)  # fmt: skip
    if "status" in stated:
        _set_status(shipment, stated, actor=actor, source=source)
    shipment.refresh_from_db()
    return shipment


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise ValidationError(
            {problem.field or "row": [ValidationError(problem.why, code=problem.code)] for problem in problems}
        )


def _refuse_names(stated: Mapping[str, Any]) -> None:
    wrong = {}
    for name in stated:
        if name in IDENTITY:
            wrong[name] = ValidationError(_("A delivery is known by it; make another one."), code="not_changeable")
        elif name not in (*CHANGEABLE, *BY_EVENT):
            words = _("Not a field that can be changed: %(known)s.") % {"known": ", ".join((*CHANGEABLE, *BY_EVENT))}
            wrong[name] = ValidationError(words, code="unknown_field")
    for name in ("reason", "status_at"):
        if name in stated and "status" not in stated:
            wrong[name] = ValidationError(_("Only together with a status."), code="without_status")
    if wrong:
        raise ValidationError(wrong)


def _wanted(shipment: Shipment, stated: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that get another value."""
    given = {name: stated[name] for name in CHANGEABLE if name in stated}
    key = {"carrier": shipment.carrier.code, "tracking_number": shipment.tracking_number}
    _refuse(_wrong_parts(given))
    row = clean({**key, **{name: value for name, value in given.items() if not _empty(value)}})
    _refuse(row.problems)
    wanted: dict[str, Any] = {}
    for name, value in given.items():
        if name in PARTIES:
            wanted[name] = _merged(getattr(shipment, name), row.values.get(name, {}), value)
        else:
            wanted[name] = row.values.get(name, {"parcels": [], "promised": None}.get(name, ""))
    if "recipient" in wanted:
        wanted["destination_country"] = wanted["recipient"].get("country", "")
    return {name: value for name, value in wanted.items() if value != getattr(shipment, name)}


def _wrong_parts(given: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for side in PARTIES:
        if _empty(given.get(side)):
            continue
        if not isinstance(given[side], Mapping):
            problems.append(Problem(side, "must be an object with the parts of an address", "not_object"))
            continue
        problems += [
            Problem(f"{side}.{str(part)[:40]}", f"is none of {', '.join(PARTY)}", "unknown_field")
            for part in given[side]
            if part not in PARTY
        ]
    return problems


def _merged(old: Mapping[str, Any], new: Mapping[str, Any], stated: Any) -> dict[str, Any]:
    """Parts that are stated empty go; a party that is stated empty goes altogether."""
    gone = set(old) if _empty(stated) else {part for part, value in stated.items() if _empty(value)}
    return {**{part: value for part, value in old.items() if part not in gone}, **new}


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value in ({}, [])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _set_status(shipment: Shipment, stated: Mapping[str, Any], *, actor: Any, source: str) -> None:
    """An event that says so; refused when the status does not follow from it."""
    now = timezone.now()
    key = {"carrier": shipment.carrier.code, "tracking_number": shipment.tracking_number}
    row = clean({**key, "status": stated["status"], "promised": stated.get("status_at")})
    problems = [problem._replace(field="status_at") if problem.field == "promised" else problem
                for problem in row.problems]  # fmt: skip
    if _empty(stated["status"]):
        problems.append(Problem("status", "is empty", "missing"))
    _refuse(problems)
    status, at = row.values["status"], row.values.get("promised") or now
    reason = str(stated.get("reason") or "").strip()
    if reason and not reasons_of(at.date()).filter(code=reason).exists():
        _refuse([Problem("reason", "is not a reason that holds on that day; see /api/v1/reasons/", "unknown_reason")])
    if is_ahead(at, now):
        _refuse([Problem("status_at", "lies more than a day ahead", "in_the_future")])
    if (shipment.status, shipment.reason) == (status, reason or shipment.reason) and "status_at" not in stated:
        return
    name = actor.get_username() if actor else "system"
    said = Said(0, shipment.tracking_number, at, text=f"set to {status} by {name}"[:500], status=status, reason=reason)
    store(shipment.carrier_id, [said], source=source, received=now)
    reached = Shipment.objects.values_list("status", "reason").get(pk=shipment.pk)
    if reached[0] != status or (reason and reached[1] != reason):
        words = _("What happened to this delivery says “%(now)s”, and an event “%(asked)s” does not change that.")
        raise StatusNotPossibleError(
            words % {"now": " ".join(filter(None, reached)), "asked": status}, fields={"status": [words % {
                "now": reached[0], "asked": status}]}
        )  # fmt: skip
    record(actor=actor, verb="shipment.status_set", target=shipment, source=source,
           summary=f"{shipment.tracking_number}: {shipment.status} to {status}",
           before={"status": shipment.status, "reason": shipment.reason},
           after={"status": reached[0], "reason": reached[1]})  # fmt: skip
