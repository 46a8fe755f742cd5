"""What a retry of the failed items would touch, and why it may fail again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from services_registry.batch_action_forms import ReasonForm
from services_registry.batch_forms import new_key
from services_registry.batches import RedrivePreview, redrive_preview
from services_registry.batches.target import function_row
from services_registry.models import Batch, CapabilityBinding, Function

SYSTEMATIC_ITEMS = 3
SYSTEMATIC_SHARE = 0.9
"""From so many failures on, and with so large a share of one type, the cause is not in the items."""


def context_of(batch: Batch) -> dict[str, Any]:
    """The preview page; without a form when there is nothing to start, or a retry is running."""
    preview = redrive_preview(batch)
    function = function_row(batch.function_name, batch.region)
    startable = preview.items and preview.running is None
    words = ngettext("Retry %d item", "Retry %d items", preview.items)
    return {
        "batch": batch,
        "preview": preview,
        "function": function,
        "cautions": cautions(batch, preview, function),
        "heading": _("Retry what failed"),
        "facts": "services_registry/_batch_retry.html",
        "form": ReasonForm(initial={"idempotency_key": new_key()}) if startable else None,
        "button": words % preview.items,
    }


def cautions(batch: Batch, preview: RedrivePreview, function: Function | None) -> list[str]:
    """Sentences; none when nothing speaks against it."""
    found = [_systematic(batch, preview, function), _function_trouble(batch, function), _other_binding(batch)]
    if not preview.items:
        found.insert(0, _("Nothing failed in this batch, so there is nothing to retry."))
    return [caution for caution in found if caution]


def _systematic(batch: Batch, preview: RedrivePreview, function: Function | None) -> str:
    if preview.items < SYSTEMATIC_ITEMS or not preview.by_error:
        return ""
    kind, count = max(preview.by_error, key=lambda entry: entry[1])
    if count < SYSTEMATIC_SHARE * preview.items:
        return ""
    facts = {"count": count, "items": preview.items, "error": kind or _("the same error")}
    if function and function.last_modified and batch.finished and function.last_modified > batch.finished:
        return _("%(count)d of %(items)d failed with %(error)s; the function was changed since.") % facts
    return _("%(count)d of %(items)d failed with %(error)s: unless its cause is gone, they will fail again.") % facts


def _function_trouble(batch: Batch, function: Function | None) -> str:
    if function is None:
        return _("The registry does not know %s, so nothing can be said about it.") % batch.function_name
    if function.gone:
        return _("The last sync did not find %s: calls will be rejected.") % function.name
    if function.reserved_concurrency == 0:
        return _("%s is stopped (reserved concurrency 0): AWS will put every call off.") % function.name
    return ""


def _other_binding(batch: Batch) -> str:
    """A retry calls the function of its batch, also when the work is bound to another one by now."""
    binding = CapabilityBinding.objects.filter(capability=batch.capability).first() if batch.capability else None
    if binding is None:
        return ""
    now = (binding.function_name, binding.region or settings.AWS_REGION, binding.qualifier)
    then = (batch.function_name, batch.region or settings.AWS_REGION, batch.qualifier)
    if now == then:
        return ""
    name = f"{binding.function_name}:{binding.qualifier}" if binding.qualifier else binding.function_name
    return _("This work is bound to %s now; the retry still calls the function of this batch.") % name
