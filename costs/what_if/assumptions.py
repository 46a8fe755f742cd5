"""What a what-if assumes. Every assumption is in the form and in the address, with the usual value said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from costs.models import ServerType
from costs.what_if.use import DAYS

YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """`cpu`: share of a call's time that it computes (and so runs faster with more CPU); the rest it waits.

    `arm`: how long a call takes on arm64 against x86_64. `fill`: share of a server that is filled at the busiest time.
    `more`: memory of each further call at once, as a share of that of the first. `wait`: whether work may be done later.
    """

    days: int = DAYS
    cpu: Decimal = Decimal("0.5")
    arm: Decimal = Decimal(1)
    server: str = ""  # empty: the cheapest that holds the work
    hours: int = 24
    fill: Decimal = Decimal("0.7")
    least: int = 1
    more: Decimal = Decimal("0.5")
    wait: str = ""  # empty: where it reads a queue or stream


USUAL = Assumptions()


class AssumptionsForm(forms.Form):
    """Shares are asked for in percent."""

    days = forms.TypedChoiceField(
        label=_("Days looked at"), coerce=int, choices=[(days, str(days)) for days in (7, 30, 90)], required=False
    )
    cpu = forms.IntegerField(
        label=_("Computes, %"), min_value=0, max_value=100, required=False,
        help_text=_("of its running time; the rest it waits for others"),
    )  # fmt: skip
    arm = forms.DecimalField(
        label=_("Time on arm64, ×"), min_value=Decimal("0.3"), max_value=Decimal(3), max_digits=4, decimal_places=2,
        required=False, help_text=_("against x86_64; below 1 is faster"),
    )  # fmt: skip
    server = forms.ChoiceField(label=_("Server"), required=False)
    hours = forms.IntegerField(
        label=_("Hours a day"), min_value=1, max_value=24, required=False, help_text=_("that servers are on")
    )
    fill = forms.IntegerField(
        label=_("Filled up to, %"), min_value=10, max_value=100, required=False, help_text=_("at the busiest time")
    )
    least = forms.IntegerField(
        label=_("Servers, at least"), min_value=1, max_value=20, required=False, help_text=_("2 survive a failure")
    )

    more = forms.IntegerField(
        label=_("A further call needs, %"), min_value=0, max_value=100, required=False,
        help_text=_("of the memory of the first one at once"),
    )  # fmt: skip
    wait = forms.ChoiceField(
        label=_("Work may wait"), required=False,
        choices=[("", _("if a queue keeps it")), (YES, _("yes")), (NO, _("no"))],
        help_text=_("then the average load is enough"),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any]) -> None:
        given = {name: data[name] for name in self.base_fields if data.get(name)}
        super().__init__({**self.usual(), **given})
        names = ServerType.objects.filter(offered=True).order_by("name").values_list("name", flat=True)
        for field in self.fields.values():
            kind = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
            field.widget.attrs["class"] = kind
        server: Any = self.fields["server"]
        server.choices = [("", _("the cheapest that holds it")), *((name, name) for name in names)]

    @staticmethod
    def usual() -> dict[str, Any]:
        return {
            "days": USUAL.days, "cpu": 50, "arm": "1.00", "server": "", "hours": USUAL.hours, "fill": 70,
            "least": USUAL.least, "more": 50, "wait": "",
        }  # fmt: skip

    def is_usual(self) -> bool:
        """Whether nothing differs from what is usually assumed."""
        return self.assumptions() == USUAL and self.is_valid()

    def assumptions(self) -> Assumptions:
        """The usual ones where something in the form is wrong."""
        if not self.is_valid():
            return USUAL
        given = {field.name: self.cleaned_data[field.name] for field in fields(Assumptions)}
        for name in ("cpu", "fill", "more"):
            given[name] = Decimal(given[name]) / 100
        return Assumptions(**given)
