"""Who is signed in: the person, their preferences and their permissions in one query, because every page needs all three.

Nothing is kept from request to request: what an administrator takes away is gone with the next click.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User

from core.models import Preference

_PREFIX = "preference_"
# By the ORM these are four queries of some 1.5 ms together, nearly all of it for writing the same SQL anew each time.
_PERSON = """
SELECT person.*, {preference}, ARRAY(
    SELECT kind.app_label || '.' || permission.codename
    FROM auth_permission permission JOIN django_content_type kind ON kind.id = permission.content_type_id
    WHERE permission.id IN (
        SELECT granted.permission_id FROM auth_user_groups member
            JOIN auth_group_permissions granted ON granted.group_id = member.group_id WHERE member.user_id = person.id
        UNION ALL
        SELECT permission_id FROM auth_user_user_permissions WHERE user_id = person.id
    )) AS permissions_read
FROM auth_user person LEFT JOIN core_preference preference ON preference.user_id = person.id
WHERE person.id = %s
"""


class RoleBackend(ModelBackend):
    """Django's own backend, asking once."""

    def get_user(self, user_id: Any) -> User | None:
        for user in User.objects.raw(_statement(), [user_id]):
            _take_preference(user)
            return user if self.user_can_authenticate(user) else None
        return None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        read: list[str] | None = getattr(user_obj, "permissions_read", None)
        if read is None or obj is not None or user_obj.is_superuser or not user_obj.is_active:
            return super().get_all_permissions(user_obj, obj)
        return set(read)


@cache
def _statement() -> str:
    columns = [f"preference.{name} AS {_PREFIX}{name}" for name in _preference_columns()]
    return _PERSON.format(preference=", ".join(columns))


def _preference_columns() -> list[str]:
    return [str(field.column) for field in Preference._meta.concrete_fields]


def _take_preference(user: User) -> None:
    """Makes `user.preference` of the columns that were read beside the person."""
    values = [getattr(user, f"{_PREFIX}{name}") for name in _preference_columns()]
    found = Preference.from_db(None, [field.attname for field in Preference._meta.concrete_fields], values)
    reverse: Any = Preference._meta.get_field("user").remote_field
    reverse.set_cached_value(user, found if found.pk else None)
