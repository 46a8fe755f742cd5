"""A person's own settings and API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.middleware import preference_of
from core.models import ApiToken, Preference
from core.roles import role_of
from core.tokens import issue_token, revoke_token
from dashboard.forms import PreferenceForm, ThemeForm, TokenForm


def _page(request: HttpRequest, *, status: int = 200, **extra: Any) -> HttpResponse:
    context = {
        "form": PreferenceForm(instance=preference_of(request)),
        "token_form": TokenForm(),
        "tokens": ApiToken.objects.filter(user__pk=request.user.pk or 0),
        "role": role_of(request.user),
        **extra,
    }
    return render(request, "dashboard/account.html", context, status=status)


@require_GET
def account(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
def save_preferences(request: HttpRequest) -> HttpResponse:
    form = PreferenceForm(request.POST, instance=preference_of(request))
    if not form.is_valid():
        return _page(request, status=400, form=form)
    form.save()
    messages.success(request, _("Your settings are saved."))
    return redirect("account")


@require_POST
def save_theme(request: HttpRequest) -> HttpResponse:
    """Called by the theme button; answers without a page."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=400)
    Preference.objects.update_or_create(user_id=request.user.pk or 0, defaults={"theme": form.cleaned_data["theme"]})
    return HttpResponse(status=204)


@require_POST
@never_cache
def new_token(request: HttpRequest) -> HttpResponse:
    """Shows the key in this answer only; a reload of the account page no longer has it."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, status=400, token_form=form)
    token, key = issue_token(user=request.user, name=form.cleaned_data["name"], expires=form.expires())
    return _page(request, new_token=token, new_key=key)


@require_POST
def end_token(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, user__pk=request.user.pk or 0)
    if revoke_token(token=token, actor=request.user):
        messages.success(request, _("The token “%(name)s” no longer works.") % {"name": token.name})
    return redirect("account")
