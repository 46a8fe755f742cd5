"""Pages of webhooks out, for administrators: the list, one with the log of its deliveries, and what can be done to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.access import admin_required
from core.errors import RefusedError
from core.pagination import KeysetPage, capped_count
from core.webhooks import services
from core.webhooks.choices import TONES
from core.webhooks.forms import WebhookForm
from core.webhooks.models import WebhookDelivery, WebhookSubscription


@admin_required
@require_GET
def webhook_list(request: HttpRequest) -> HttpResponse:
    page = KeysetPage.of(WebhookSubscription.objects.all(), order=["name", "id"], request=request)
    for subscription in page.rows:
        _dress(subscription)
    return render(request, "core/webhook_list.html", {"page": page, "kinds": services.kinds()})


@admin_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_new(request: HttpRequest) -> HttpResponse:
    """Ends on the page of the new webhook with its secret, which no reload shows again."""
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (
        made := _kept(form, lambda **said: services.create_subscription(**said, actor=request.user))
    ):
        subscription, secret = made
        return _page(request, subscription, secret=secret)
    status = 400 if form.is_bound else 200
    return render(request, "core/webhook_form.html", {"form": form}, status=status)


def _kept(form: WebhookForm, keep: Callable[..., Any]) -> Any:
    """What `keep` returns; None when it refused, with the reason beside the field."""
    try:
        return keep(**form.cleaned_data)
    except ValidationError as error:
        for name, errors in error.error_dict.items():
            form.add_error(name, errors)
    except RefusedError as error:
        form.add_error("name", error.message)
    return None


@admin_required
@require_GET
def webhook_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, get_object_or_404(WebhookSubscription, pk=pk))


def _page(request: HttpRequest, subscription: WebhookSubscription, *, secret: str = "") -> HttpResponse:
    page = KeysetPage.of(subscription.deliveries.all(), order=["-created", "-id"], request=request)
    for row in page.rows:
        delivery: Any = row
        delivery.tone = TONES[delivery.state]
    kinds = services.kinds()
    waiting, more = capped_count(subscription.queue.filter(delivery=None), 1_000)
    context = {
        "webhook": _dress(subscription), "page": page, "secret": secret, "waiting": waiting, "more_waiting": more,
        "events": [{"type": name, "label": kinds.get(name, "")} for name in subscription.events],
    }  # fmt: skip
    return render(request, "core/webhook_detail.html", context)


def _dress(subscription: WebhookSubscription) -> WebhookSubscription:
    dressed: Any = subscription
    dressed.tone, dressed.state_label = TONES[subscription.state], subscription.state.label
    return subscription


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_edit(request: HttpRequest, pk: int) -> HttpResponse:
    subscription = get_object_or_404(WebhookSubscription, pk=pk)
    initial = {"name": subscription.name, "url": subscription.url, "events": subscription.events}
    form = WebhookForm(request.POST if request.method == "POST" else None, initial=initial)

    def keep(**said: Any) -> WebhookSubscription:
        return services.change_subscription(subscription, actor=request.user, **said)

    if form.is_valid() and _kept(form, keep):
        messages.success(request, _("The webhook is changed."))
        return redirect("webhook-detail", pk=pk)
    status = 400 if form.is_bound else 200
    return render(request, "core/webhook_form.html", {"form": form, "webhook": subscription}, status=status)


@admin_required
@require_POST
def webhook_pause(request: HttpRequest, pk: int) -> HttpResponse:
    if services.pause(get_object_or_404(WebhookSubscription, pk=pk), actor=request.user):
        messages.success(request, _("Paused. What happens meanwhile is not told later."))
    return redirect("webhook-detail", pk=pk)


@admin_required
@require_POST
def webhook_resume(request: HttpRequest, pk: int) -> HttpResponse:
    if services.resume(get_object_or_404(WebhookSubscription, pk=pk), actor=request.user):
        messages.success(request, _("Active again. What still waited is sent first."))
    return redirect("webhook-detail", pk=pk)


@admin_required
@require_POST
def webhook_test(request: HttpRequest, pk: int) -> HttpResponse:
    services.send_test(get_object_or_404(WebhookSubscription, pk=pk), actor=request.user)
    messages.info(request, _("A test is on its way. The log shows what came of it; reload in a moment."))
    return redirect("webhook-detail", pk=pk)


@admin_required
@never_cache
@require_POST
def webhook_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows the new secret in this answer only."""
    subscription = get_object_or_404(WebhookSubscription, pk=pk)
    return _page(request, subscription, secret=services.rotate_secret(subscription, actor=request.user))


@admin_required
@require_POST
def webhook_delete(request: HttpRequest, pk: int) -> HttpResponse:
    services.delete_subscription(get_object_or_404(WebhookSubscription, pk=pk), actor=request.user)
    messages.success(request, _("The webhook is deleted."))
    return redirect("webhook-list")


@admin_required
@require_POST
def webhook_resend(request: HttpRequest, pk: int, delivery: UUID) -> HttpResponse:
    row = get_object_or_404(WebhookDelivery, pk=delivery, subscription=pk)
    try:
        services.resend(row, actor=request.user)
        messages.info(request, _("It is sent again."))
    except RefusedError as error:
        messages.error(request, error.message)
    return redirect("webhook-detail", pk=pk)


@admin_required
@require_GET
def webhook_alert(request: HttpRequest) -> HttpResponse:
    """The count in the top bar: webhooks that switched themselves off. Empty when there is none."""
    found = WebhookSubscription.objects.filter(active=False).exclude(disabled_reason="")
    return render(request, "core/_webhook_alert.html", {"names": list(found.values_list("name", flat=True)[:20])})
