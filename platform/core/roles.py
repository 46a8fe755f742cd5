"""Four roles. Viewer reads; operator also runs things; ops lead also stops functions; admin configures and may all.

What the ops lead may beyond the operator, apps say in the slot `role_permissions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, Permission

from core.slots import role_permissions

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

VIEWER, OPERATOR, OPS_LEAD, ADMIN = "viewer", "operator", "ops lead", "admin"
LOGINS = (VIEWER, OPERATOR, ADMIN)
"""The roles for which the first start makes a login."""


def ensure_groups() -> None:
    """Make the groups and give each exactly its permissions; running it again repairs them."""
    operate = Permission.objects.get(content_type__app_label="core", codename="operate")
    Group.objects.get_or_create(name=VIEWER)[0].permissions.clear()
    Group.objects.get_or_create(name=OPERATOR)[0].permissions.set([operate])
    lead = [operate, *(_permission(entry.permission) for entry in role_permissions if entry.role == OPS_LEAD)]
    Group.objects.get_or_create(name=OPS_LEAD)[0].permissions.set(lead)
    Group.objects.get_or_create(name=ADMIN)[0].permissions.set(Permission.objects.all())


def role_of(user: AbstractUser | AnonymousUser) -> str:
    """The strongest role, judged by permission so that hand-made groups count too."""
    if user.has_perm("core.administer"):
        return ADMIN
    if any(user.has_perm(entry.permission) for entry in role_permissions if entry.role == OPS_LEAD):
        return OPS_LEAD
    return OPERATOR if user.has_perm("core.operate") else VIEWER


def _permission(name: str) -> Permission:
    label, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=label, codename=codename)


def give_role(user: Any, role: str) -> None:
    """Put a person into one role's group; admins may also enter the admin site."""
    user.groups.set([Group.objects.get(name=role)])
    if user.is_staff != (role == ADMIN):
        user.is_staff = role == ADMIN
        user.save(update_fields=["is_staff"])
