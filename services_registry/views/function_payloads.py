"""Keeping payloads to run a function with again."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.access import operator_required
from core.errors import RefusedError
from services_registry import payloads
from services_registry.models import Function, SavedPayload
from services_registry.run_forms import RunForm
from services_registry.views.functions import detail_page


@operator_required
@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what stands in the run form under a name; one's own of the same name is replaced."""
    function, form = get_object_or_404(Function, pk=pk), RunForm(request.POST)
    if not form.is_valid():
        return detail_page(request, function, {"form": form}, status=400)
    try:
        row = payloads.save_payload(
            function=function, owner=request.user, name=form.cleaned_data["name"],
            payload=form.cleaned_data["payload"], shared=form.cleaned_data["shared"],
        )  # fmt: skip
    except RefusedError as error:
        form.add_error("name" if "name" in error.fields else None, error.message)
        return detail_page(request, function, {"form": form}, status=400)
    messages.success(request, _("The payload “%(name)s” is kept.") % {"name": row.name})
    return redirect(f"{reverse('function-detail', args=[function.pk])}?payload={row.pk}#run")


@operator_required
@require_POST
def delete(request: HttpRequest, pk: int, payload_pk: UUID) -> HttpResponse:
    """The run form offers to undo it, for a day."""
    payloads.delete_payload(_own(request, pk, payload_pk), actor=request.user)
    return redirect(f"{reverse('function-detail', args=[pk])}#run")


@operator_required
@require_POST
def restore(request: HttpRequest, pk: int, payload_pk: UUID) -> HttpResponse:
    row = _own(request, pk, payload_pk, deleted=True)
    try:
        payloads.restore_payload(row, actor=request.user)
    except RefusedError as error:
        messages.error(request, error.message)
    return redirect(f"{reverse('function-detail', args=[pk])}?payload={row.pk}#run")


def _own(request: HttpRequest, pk: int, payload_pk: UUID, *, deleted: bool = False) -> SavedPayload:
    rows = SavedPayload.objects.select_related("function").filter(function=pk, owner_id=request.user.pk)
    return get_object_or_404(rows.filter(deleted__isnull=not deleted), pk=payload_pk)
