"""Code and layers come near the size that Lambda refuses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import charts
from core.templatetags.core_tags import percent
from services_registry.choices import Severity
from services_registry.guardrails.facts import Measured
from services_registry.guardrails.rule import COMPANY, Evidence, Found, Limits, Rule, Threshold

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SINCE = date(2026, 11, 24)
QUOTA = "AWS Lambda quotas: 250 MB (262,144,000 bytes) unzipped, code and layers together, read 2026-11-23"
MB = 2**20  # as AWS counts this quota
NEXT_DEPLOY = 0.95


class PackageSize(Rule):
    """By the sizes that AWS states, which are those of the packed archives: unpacked it is never less."""

    slug = "package-size"
    title = gettext_lazy("Code and layers near 250 MB")
    why = gettext_lazy(
        "Lambda refuses a deploy whose code and layers unpack to more than 250 MB. Who comes near it is stopped one day by "
        "a small library, in the middle of a fix. Large packages also start slower."
    )
    advice = (
        gettext_lazy(
            "Find the largest parts: test data, caches, libraries that the runtime brings anyway, several copies."
        ),
        gettext_lazy("Move rarely used parts to object storage, or split the function by what it does."),
        gettext_lazy("A container image may have 10 GB: the way out when libraries are simply large."),
    )
    thresholds = (
        Threshold("share", gettext_lazy("more than this share of the quota"), Decimal("0.8"), SINCE, COMPANY),
        Threshold("quota_bytes", gettext_lazy("bytes that Lambda allows"), Decimal(262_144_000), SINCE, QUOTA),
    )
    question = gettext_lazy("What takes up the room?")

    def look(self, facts: Measured, limits: Limits) -> Found | None:
        function = facts.function
        if function.package_type != "Zip":
            return None
        layers: list[dict[str, Any]] = [
            {"arn": str(layer.get("arn", "")), "bytes": int(layer.get("bytes") or 0)} for layer in function.layers
        ]
        total = function.code_bytes + sum(layer["bytes"] for layer in layers)
        share = total / float(limits["quota_bytes"])
        if total <= limits["share"] * limits["quota_bytes"]:
            return None
        evidence: Evidence = {
            "code_bytes": function.code_bytes, "layers": layers, "total_bytes": total, "share": round(share, 4),
            "quota_bytes": int(limits["quota_bytes"]), "limit": float(limits["share"]),
        }  # fmt: skip
        severity = Severity.DANGER if share >= NEXT_DEPLOY else Severity.WARNING
        return Found(severity=severity, measure=float(total), evidence=evidence, sample=function.sample)

    def sentence(self, evidence: Evidence) -> str:
        layers = len(evidence["layers"])
        words = {"n": layers, "total": _mb(evidence["total_bytes"]), "share": percent(evidence["share"], 0)}
        what = ngettext("Code and %(n)s layer", "Code and %(n)s layers", layers) if layers else _("The code")
        says = _("%(what)s: %(total)s MB packed, %(share)s of the 250 MB that Lambda allows unpacked.")
        return says % (words | {"what": what % words})

    def rows(self, evidence: Evidence) -> list[tuple[_StrOrPromise, str]]:
        layers: list[tuple[_StrOrPromise, str]] = [
            (_name(layer["arn"]), f"{_mb(layer['bytes'])} MB") for layer in evidence["layers"]
        ]
        return [
            (gettext_lazy("Code"), f"{_mb(evidence['code_bytes'])} MB"), *layers,
            (gettext_lazy("Together"), f"{_mb(evidence['total_bytes'])} MB ({percent(evidence['share'])})"),
            (gettext_lazy("Limit"), _("%(share)s of %(quota)s MB") % {
                "share": percent(evidence["limit"], 0), "quota": _mb(evidence["quota_bytes"])}),
            (gettext_lazy("Measured"), _("packed sizes, as AWS states them; unpacked it is never less")),
        ]  # fmt: skip

    def figure(self, evidence: Evidence) -> charts.Figure | None:
        names = [_("code"), *(_name(layer["arn"]) for layer in evidence["layers"]), _("quota")]
        sizes = [evidence["code_bytes"], *(layer["bytes"] for layer in evidence["layers"]), evidence["quota_bytes"]]
        return charts.ranking(names, [round(size / MB, 1) for size in sizes], x_title="MB")


def _mb(size: int) -> str:
    return f"{size / MB:.1f}"


def _name(arn: str) -> str:
    """Name and version of a layer."""
    return ":".join(arn.split(":")[6:]) or arn
