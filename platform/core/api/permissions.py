"""Who may do what over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # views import the default permission: a cycle at run time
    from rest_framework.views import APIView


class RolePermission(BasePermission):
    """Everybody signed in may read; writing needs `core.operate`, or what the view's `write_permission` names.

    An empty `write_permission` lets everybody signed in write (their own preferences, for example).
    """

    message = "Your role may read this but not change it. Ask an administrator for the operator role."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False
        if request.method in SAFE_METHODS:
            return True
        needed: str = getattr(view, "write_permission", "core.operate")
        return not needed or request.user.has_perm(needed)


class AdminPermission(RolePermission):
    """For what only administrators see."""

    message = "Only administrators may see and change this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.is_authenticated and request.user.has_perm("core.administer"))
