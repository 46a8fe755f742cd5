"""Three roles. Viewer reads; operator also runs things; admin also configures, stops functions and manages people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, Permission

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

VIEWER, OPERATOR, ADMIN = "viewer", "operator", "admin"
ROLES = (VIEWER, OPERATOR, ADMIN)


def ensure_groups() -> None:
    """Make the groups and give each exactly its permissions; running it again repairs them."""
    operate = Permission.objects.get(content_type__app_label="core", codename="operate")
    Group.objects.get_or_create(name=VIEWER)[0].permissions.clear()
    Group.objects.get_or_create(name=OPERATOR)[0].permissions.set([operate])
    Group.objects.get_or_create(name=ADMIN)[0].permissions.set(Permission.objects.all())


def role_of(user: AbstractUser | AnonymousUser) -> str:
    """The strongest role, judged by permission so that hand-made groups count too."""
    if user.has_perm("core.administer"):
        return ADMIN
    return OPERATOR if user.has_perm("core.operate") else VIEWER


def give_role(user: Any, role: str) -> None:
    """Put a person into one role's group; admins may also enter the admin site."""
    user.groups.set([Group.objects.get(name=role)])
    if user.is_staff != (role == ADMIN):
        user.is_staff = role == ADMIN
        user.save(update_fields=["is_staff"])
