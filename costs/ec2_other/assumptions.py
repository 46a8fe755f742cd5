"""What nobody measures: assumptions of the split and of the ways out, each to be changed in the form and kept in the address."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Percentages are 0 to 100. The usual values are starting points to be replaced, not measurements."""

    functions_share: int = 100
    kb_per_call: int = 100
    mb_per_cold_start: int = 60
    s3_share: int = 50
    payload_cut: int = 30
    endpoints: int = 2
    endpoint_share: int = 10
    zones: int = 2

    @property
    def bytes_per_call(self) -> int:
        return self.kb_per_call * 1024

    @property
    def bytes_per_cold_start(self) -> int:
        return self.mb_per_cold_start * 1024**2


USUAL = Assumptions()


class AssumptionsForm(forms.Form):
    """Empty fields mean the usual value."""

    functions_share = forms.IntegerField(
        label=_("Network traffic that is of functions, %"), min_value=0, max_value=100, required=False,
        help_text=_("the rest is of servers and containers in the same subnets"),
    )  # fmt: skip
    kb_per_call = forms.IntegerField(
        label=_("KiB per call"), min_value=0, max_value=10_000_000, required=False,
        help_text=_("fetched and sent; used where no batch measured a function's requests and answers"),
    )  # fmt: skip
    mb_per_cold_start = forms.IntegerField(
        label=_("MiB per cold start"), min_value=0, max_value=10_240, required=False,
        help_text=_("libraries, models and settings that are downloaded at the start"),
    )  # fmt: skip
    s3_share = forms.IntegerField(
        label=_("NAT traffic to S3 and DynamoDB, %"), min_value=0, max_value=100, required=False,
        help_text=_("flow logs tell; documents and libraries usually lie in S3"),
    )  # fmt: skip
    payload_cut = forms.IntegerField(
        label=_("Payloads smaller by, %"), min_value=0, max_value=100, required=False,
        help_text=_("packed, or a key in S3 instead of the document"),
    )  # fmt: skip
    endpoints = forms.IntegerField(
        label=_("Interface endpoints"), min_value=1, max_value=50, required=False,
        help_text=_("one for each service: SQS, Secrets Manager, ECR …"),
    )  # fmt: skip
    endpoint_share = forms.IntegerField(
        label=_("NAT traffic to those services, %"), min_value=0, max_value=100, required=False,
        help_text=_("of the traffic of functions"),
    )  # fmt: skip
    zones = forms.IntegerField(
        label=_("Zones"), min_value=1, max_value=6, required=False, help_text=_("in which the functions have subnets"),
    )  # fmt: skip


def read(query: QueryDict) -> tuple[Assumptions, AssumptionsForm]:
    """The assumptions of an address, with their form; what cannot be read is the usual value, and the form says so."""
    names = [field.name for field in fields(Assumptions)]
    given = {name: query[name] for name in names if query.get(name, "").strip()}
    form = AssumptionsForm({name: getattr(USUAL, name) for name in names} | given)
    form.is_valid()
    values = {name: form.cleaned_data[name] for name in names if form.cleaned_data.get(name) is not None}
    return Assumptions(**values), form


def share(amount: Decimal, percent: int) -> Decimal:
    """Exact within `EXACT`: a hundredth ends after two decimals."""
    return amount * Decimal(percent).scaleb(-2)
