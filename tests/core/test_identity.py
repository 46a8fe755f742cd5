"""Person, preferences and permissions come in one query, and say what Django's own backend says."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission, User

from core.identity import RoleBackend
from core.models import Preference
from core.roles import ADMIN, VIEWER, give_role


def test_permissions_are_those_of_django(viewer: User, operator: User, admin_user: User) -> None:
    viewer.user_permissions.add(Permission.objects.get(codename="administer"))
    root = User.objects.create_superuser("root")
    gone = User.objects.create_user("gone", is_active=False)
    for person in (viewer, operator, admin_user, root):
        read = RoleBackend().get_user(person.pk)
        assert read == person
        assert read.get_all_permissions() == ModelBackend().get_all_permissions(User.objects.get(pk=person.pk))
        assert read.has_perm("core.administer") == (person != operator)
    assert RoleBackend().get_user(gone.pk) is None
    assert RoleBackend().get_user(0) is None


def test_what_is_taken_away_is_gone_with_the_next_click(client_as: Any, admin_user: User) -> None:
    client = client_as(admin_user)
    assert client.get("/admin/core/auditentry/").status_code == 200
    give_role(admin_user, VIEWER)
    assert client.get("/admin/core/auditentry/").status_code != 200
    give_role(admin_user, ADMIN)
    assert client.get("/admin/core/auditentry/").status_code == 200
    User.objects.filter(pk=admin_user.pk).update(is_active=False)
    assert client.get("/account/").status_code == 302


def test_every_preference_is_read_beside_the_person(client_as: Any, operator: User, query_budget: Any) -> None:
    unset = RoleBackend().get_user(operator.pk)
    assert unset is not None and getattr(unset, "preference", None) is None
    Preference.objects.create(user=operator, time_zone="Europe/Lisbon", theme="dark", density="comfortable")
    saved = Preference.objects.get(user=operator)
    with query_budget(1):
        read: Any = RoleBackend().get_user(operator.pk)
        names = [field.attname for field in Preference._meta.concrete_fields]
        assert {name: getattr(read.preference, name) for name in names} == {
            name: getattr(saved, name) for name in names
        }
        assert read.get_all_permissions() == {"core.operate"}
    client = client_as(operator)
    assert b'data-bs-theme="dark"' in client.get("/account/").content
    client.post("/account/preferences/", {"time_zone": "Europe/Madrid", "theme": "light", "density": "compact"})
    assert Preference.objects.get(user=operator).theme == "light"


def test_navigation_is_kept_apart_for_roles_and_pages(client_as: Any, viewer: User, admin_user: User) -> None:
    for person in (viewer, admin_user, viewer):
        client = client_as(person)
        for address in ("/deliveries/", "/costs/", "/deliveries/imports/"):
            text = client.get(address).content.decode()
            assert text.count('aria-current="page"') == 1
            assert f'href="{address}" title=' in text.split('aria-current="page"')[0].rsplit("<a", 1)[1]
