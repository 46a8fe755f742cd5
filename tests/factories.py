"""People for tests. Anything a test relies on beyond the role is written in that test."""

from __future__ import annotations

import itertools

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from core.roles import ensure_groups, give_role

PASSWORD = "a long enough password"
_numbers = itertools.count(1)


def make_user(role: str = "viewer", *, username: str = "") -> User:
    """A person with one of the three roles; passwords are always `PASSWORD`."""
    ensure_groups()
    user: User = get_user_model().objects.create_user(username or f"{role}-{next(_numbers)}", password=PASSWORD)
    give_role(user, role)
    return get_user_model().objects.get(pk=user.pk)  # fresh, so that no permission is remembered from before
