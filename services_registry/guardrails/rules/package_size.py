"""Code and layers come near the size that Lambda refuses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import charts
from core.templatetags.core_tags import percent
from services_registry.choices import Basis, Severity
from services_registry.guardrails.facts import Measured
from services_registry.guardrails.rule import COMPANY, Evidence, Found, Limits, Rule, Threshold
from services_registry.registry.packages import LIMIT_CHECKED, LIMIT_SOURCE, NEAR, UNZIPPED_LIMIT

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SINCE = date(2026, 11, 24)
QUOTA = gettext_lazy("bytes that Lambda allows, unpacked")
MB = 2**20  # as AWS counts this quota
SURE = (Basis.MEASURED, Basis.STATED)


class PackageSize(Rule):
    """By unpacked sizes, which are what AWS limits. It tells packed ones only, so a size may be an estimate; then it is a note."""

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
        Threshold("share", gettext_lazy("more than this share of the quota"), Decimal(str(NEAR)), SINCE, COMPANY),
        Threshold("danger_share", gettext_lazy("grave from this share on"), Decimal("0.95"), SINCE, COMPANY),
        Threshold("quota_bytes", QUOTA, Decimal(UNZIPPED_LIMIT), LIMIT_CHECKED, LIMIT_SOURCE),
    )
    question = gettext_lazy("What takes up the room?")

    def look(self, facts: Measured, limits: Limits) -> Found | None:
        size = facts.packages.of(facts.function)
        if size is None:
            return None
        total, quota = size.total, limits["quota_bytes"]
        if total <= limits["share"] * quota:
            return None
        sure = size.basis in SURE or size.zipped > limits["share"] * quota
        evidence: Evidence = {
            "code_bytes": size.code.bytes, "layers": [{"arn": part.arn, "bytes": part.size.bytes} for part in size.layers],
            "total_bytes": total, "zipped_bytes": size.zipped, "basis": str(size.basis), "share": round(total / float(quota), 4),
            "quota_bytes": int(quota), "limit": float(limits["share"]),
        }  # fmt: skip
        grave = Severity.DANGER if total >= limits["danger_share"] * quota else Severity.WARNING
        return Found(
            severity=grave if sure else Severity.INFO,
            measure=float(total),
            evidence=evidence,
            sample=facts.function.sample,
        )

    def sentence(self, evidence: Evidence) -> str:
        layers = len(evidence["layers"])
        what = ngettext("Code and %(n)s layer", "Code and %(n)s layers", layers) if layers else _("The code")
        words = {
            "what": what % {"n": layers}, "total": _mb(evidence["total_bytes"]), "share": percent(evidence["share"], 0),
            "basis": _basis(evidence),
        }  # fmt: skip
        return _("%(what)s: %(total)s MB unpacked (%(basis)s), %(share)s of the 250 MB that Lambda allows.") % words

    def rows(self, evidence: Evidence) -> list[tuple[_StrOrPromise, str]]:
        layers: list[tuple[_StrOrPromise, str]] = [
            (_name(layer["arn"]), f"{_mb(layer['bytes'])} MB") for layer in evidence["layers"]
        ]
        return [
            (gettext_lazy("Code"), f"{_mb(evidence['code_bytes'])} MB"), *layers,
            (gettext_lazy("Together"), f"{_mb(evidence['total_bytes'])} MB ({percent(evidence['share'])})"),
            (gettext_lazy("How sure"), _basis(evidence)),
            (gettext_lazy("Packed, as AWS states it"), f"{_mb(evidence['zipped_bytes'])} MB"),
            (gettext_lazy("Limit"), _("%(share)s of %(quota)s MB") % {
                "share": percent(evidence["limit"], 0), "quota": _mb(evidence["quota_bytes"])}),
        ]  # fmt: skip

    def figure(self, evidence: Evidence) -> charts.Figure | None:
        names = [_("code"), *(_name(layer["arn"]) for layer in evidence["layers"]), _("quota")]
        sizes = [evidence["code_bytes"], *(layer["bytes"] for layer in evidence["layers"]), evidence["quota_bytes"]]
        return charts.ranking(names, [round((size or 0) / MB, 1) for size in sizes], x_title="MB")


def _mb(size: int | None) -> str:
    return "–" if size is None else f"{size / MB:.1f}"


def _basis(evidence: Evidence) -> str:
    return str(Basis(evidence["basis"]).label)


def _name(arn: str) -> str:
    """Name and version of a layer."""
    return ":".join(arn.split(":")[6:]) or arn
