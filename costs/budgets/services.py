"""What people and tools do to budgets: each a change with its entry in the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from costs.budgets.billing import SCOPES
from costs.budgets.choices import Basis, Currency, Scope
from costs.models import Budget

FIELDS = ("name", "scope", "key", "basis", "amount", "currency", "thresholds", "tell_forecast", "people", "active")
MOST_THRESHOLDS, HIGHEST = 10, 1000


def checked(
    *, name: str, scope: str, key: str, amount: Decimal, currency: str, thresholds: Sequence[int], people: Sequence[str],
    basis: str = Basis.ESTIMATED, tell_forecast: bool = True, active: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """The fields as they are stored. Raises ValidationError, with a reason for each field."""
    name, key = " ".join(name.replace("\0", "").split()), key.replace("\0", "").strip()
    wrong: dict[str, str] = {}
    if not 0 < len(name) <= 80:
        wrong["name"] = _("A name of at most 80 characters.")
    if scope not in Scope.values:
        wrong["scope"] = _("Choose from: %(known)s.") % {"known": ", ".join(Scope.values)}
    if (scope == Scope.ALL) == bool(key):
        wrong["key"] = _("Say which one.") if not key else _("A budget for everything has no name of a part.")
    if basis not in Basis.values:
        wrong["basis"] = _("Choose from: %(known)s.") % {"known": ", ".join(Basis.values)}
    elif basis == Basis.BILLED and scope not in SCOPES:
        wrong["basis"] = _("Bills know nothing of owners; take estimated costs.")
    if currency not in Currency.values:
        wrong["currency"] = _("Choose from: %(known)s.") % {"known": ", ".join(Currency.values)}
    if not amount.is_finite() or not 1 <= amount < Decimal(10) ** 12:
        wrong["amount"] = _("At least 1 a month.")
    if len(thresholds) > MOST_THRESHOLDS or any(not 0 < one <= HIGHEST for one in thresholds):
        wrong["thresholds"] = _("At most %(n)d whole numbers from 1 to %(high)d.") % {
            "n": MOST_THRESHOLDS, "high": HIGHEST,
        }  # fmt: skip
    if unknown := _unknown(people):
        wrong["people"] = _("Nobody is called %(names)s.") % {"names": ", ".join(unknown)}
    if wrong:
        raise ValidationError(wrong)
    return {
        "name": name, "scope": scope, "key": key, "basis": basis, "amount": amount.quantize(Decimal("0.01")), "currency": currency,
        "thresholds": sorted(set(thresholds)), "tell_forecast": tell_forecast, "people": sorted(set(people)), "active": active,
    }  # fmt: skip


def _unknown(usernames: Sequence[str]) -> list[str]:
    known = get_user_model().objects.filter(username__in=usernames).values_list("username", flat=True)
    return sorted(set(usernames) - set(known))


def create_budget(*, actor: Any, source: str = "page", **said: Any) -> Budget:
    """Raises ValidationError; RefusedError when the name is taken or there is a budget for the same."""
    values = checked(**said)
    try:
        with transaction.atomic():
            budget = Budget.objects.create(**values, created_by_name=actor.get_username() if actor else "system")
            record(
                actor=actor,
                verb="budget.created",
                target=budget,
                source=source,
                summary=budget.name,
                after=_plain(values),
            )
    except IntegrityError as error:
        raise _taken(error) from error
    return budget


def change_budget(budget: Budget, *, actor: Any, source: str = "page", **stated: Any) -> Budget:
    """Thresholds that were told of in this month are not told again. Raises as `create_budget`."""
    before = {name: getattr(budget, name) for name in FIELDS}
    values = checked(**(before | stated))
    if values == before:
        return budget
    try:
        with transaction.atomic():
            Budget.objects.filter(pk=budget.pk).update(**values)
            record(actor=actor, verb="budget.changed", target=budget, source=source, summary=values["name"],
                   before=_plain(before), after=_plain(values))  # fmt: skip
    except IntegrityError as error:
        raise _taken(error) from error
    budget.refresh_from_db()
    return budget


@transaction.atomic
def delete_budget(budget: Budget, *, actor: Any, source: str = "page") -> None:
    before = _plain({name: getattr(budget, name) for name in FIELDS})
    record(actor=actor, verb="budget.deleted", target=budget, source=source, summary=budget.name, before=before)
    budget.delete()


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"amount": str(values["amount"])}


def _taken(error: IntegrityError) -> RefusedError:
    if "budget_once_for_a_scope" in str(error):
        words = _("There is a budget for the same in this currency already.")
        return RefusedError(words, code="scope_taken", fields={"key": [words]})
    words = _("There is a budget of this name already.")
    return RefusedError(words, code="name_taken", fields={"name": [words]})
