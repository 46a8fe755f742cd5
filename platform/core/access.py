"""Who may see and do what on pages. Every page asks for a login unless it is marked `@login_not_required`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def permission_needed(permission: str, explanation: Callable[[], str]) -> Callable[[View[P]], View[P]]:
    """Demand one permission; the 403 page shows the explanation."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.has_perm(permission):
                raise PermissionDenied(explanation())
            return view(request, *args, **kwargs)

        checked: Any = login_required(guarded)
        return checked  # type: ignore[no-any-return]  # login_required loses the parameters

    return decorate


operator_required: Callable[[View[Any]], View[Any]] = permission_needed(
    "core.operate",
    lambda: _(
        "Running functions and changing deliveries needs the operator role. Ask an administrator to give it to you."
    ),
)
admin_required: Callable[[View[Any]], View[Any]] = permission_needed(
    "core.administer",
    lambda: _("Changing configuration and stopping functions needs the admin role. Ask an administrator."),
)
