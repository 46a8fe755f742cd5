"""How one person wants to hear of things: ways for each kind, quiet hours, and what became of the latest messages."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.middleware import preference_of
from core.notices.choices import TONES, Channel
from core.notices.forms import QuietForm
from core.notices.kinds import kinds
from core.notices.mail import mail_works
from core.notices.models import NoticeDelivery
from core.notices.preferences import chosen_ways, save_preferences

SHOWN = 30


@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: HttpRequest) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    preference = preference_of(request)
    names = ("quiet_from", "quiet_to", "urgent_in_quiet")
    initial = {name: getattr(preference, name) for name in names} | {"email": getattr(request.user, "email", "")}
    form = QuietForm(posted, initial=initial)
    ways = _ways(request)
    if form.is_valid():
        try:
            save_preferences(request.user, ways=ways, **form.cleaned_data)
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                form.add_error(name if name in form.fields else None, errors)
        else:
            messages.success(request, _("Your choices are saved."))
            return redirect("notice-choices")
    context = {
        "form": form, "rows": _rows(ways if posted is not None else chosen_ways(request.user)),
        "channels": Channel.choices, "log": _log(request.user), "mail_works": mail_works(),
    }  # fmt: skip
    return render(request, "dashboard/notice_choices.html", context, status=400 if form.errors else 200)


def _ways(request: HttpRequest) -> dict[str, list[str]]:
    return {name: request.POST.getlist(f"ways-{name}") for name in kinds()}


def _rows(ways: dict[str, list[str]]) -> list[dict[str, Any]]:
    rows = []
    for name, kind in kinds().items():
        on = ways.get(name, ())
        boxes = [{"channel": channel, "label": label, "on": channel in on} for channel, label in Channel.choices]
        rows.append({"name": name, "kind": kind, "boxes": boxes})
    return rows


def _log(user: Any) -> list[NoticeDelivery]:
    rows = list(NoticeDelivery.objects.filter(user_id=user.pk).exclude(channel="").select_related("notice")[:SHOWN])
    for row in rows:
        dressed: Any = row
        dressed.tone = TONES[row.state]
    return rows
