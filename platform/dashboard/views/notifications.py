"""The inbox of one person and the bell in the top bar; and whom one may mention."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.notifications import MOST_COUNTED, inbox, kind_of, mark_all_read, mark_read, unread_count
from core.pagination import KeysetPage
from core.people import people_called


@require_GET
@never_cache
def bell(request: HttpRequest) -> HttpResponse:
    """The bell with its count, polled by the top bar."""
    count = unread_count(request.user)
    shown = str(count) if count <= MOST_COUNTED else f"{MOST_COUNTED}+"
    label = ngettext("%s unread notification", "%s unread notifications", count) % shown
    return render(request, "dashboard/_bell.html", {"count": count, "shown": shown, "label": label})


@require_GET
def notification_list(request: HttpRequest) -> HttpResponse:
    unread = request.GET.get("unread") == "1"
    page = KeysetPage.of(inbox(request.user, unread=unread), order=["-created", "-id"], request=request)
    context = {
        "page": page,
        "lines": [(row, kind_of(row.kind)) for row in page.rows],
        "unread": unread,
        "any_unread": unread_count(request.user) > 0,
        "newest": inbox(request.user).order_by("-pk").values_list("pk", flat=True).first() or 0,
    }
    return render(request, "dashboard/notification_list.html", context)


@require_GET
def open_notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Reading one and going where it leads is one click; a repetition changes nothing."""
    notification = get_object_or_404(inbox(request.user), pk=pk)
    mark_read(notification)
    return redirect(notification.url or "notification-list")


@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    mark_read(get_object_or_404(inbox(request.user), pk=pk))
    return _back(request)


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Up to the newest that the page showed: what came in since stays unread."""
    newest = request.POST.get("newest", "")
    if not (newest.isascii() and newest.isdigit() and len(newest) < 19):
        return HttpResponse(_("Say up to which notification."), status=400)
    mark_all_read(request.user, up_to=int(newest))
    return _back(request)


@require_GET
def people(request: HttpRequest) -> JsonResponse:
    """People whose name begins with `?q=`, for completing a mention."""
    found = people_called(request.GET.get("q", ""))
    return JsonResponse({"people": [{"username": person.username, "name": person.name} for person in found]})


def _back(request: HttpRequest) -> HttpResponse:
    answer = redirect("notification-list")
    if request.POST.get("unread") == "1":
        answer["Location"] += "?unread=1"
    return answer
