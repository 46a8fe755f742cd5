"""A token's key is shown once, kept as a hash, works until revoked, and never beyond its person's role."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import ApiToken, AuditEntry

ClientAs = Callable[[User], Client]
pytestmark = pytest.mark.django_db


def issue(client: Client) -> str:
    page = client.post("/account/tokens/", {"name": "label printer", "days": "90"}).content.decode()
    found = re.search(r"data-new-key>(spt_[\w-]+)<", page)
    assert found
    return found.group(1)


def ask(key: str) -> int:
    return int(APIClient().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {key}").status_code)


def test_key_is_shown_once_and_kept_nowhere(operator: User, client_as: ClientAs) -> None:
    client = client_as(operator)
    key = issue(client)
    assert key not in client.get("/account/").content.decode()
    token = ApiToken.objects.get(user=operator)
    assert key not in str(vars(token))
    assert AuditEntry.objects.filter(verb="token.issued", actor=operator).count() == 1


def test_key_opens_the_api_with_its_persons_role(operator: User, client_as: ClientAs) -> None:
    key = issue(client_as(operator))
    answer = APIClient().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {key}").json()
    assert answer == {"username": operator.username, "role": "operator", "token": "label printer"}
    assert ApiToken.objects.get().last_used is not None


@pytest.mark.slow
def test_revoked_expired_and_unknown_keys_are_refused(operator: User, client_as: ClientAs) -> None:
    client = client_as(operator)
    key = issue(client)
    assert ask(key) == 200
    client.post(f"/account/tokens/{ApiToken.objects.get().pk}/revoke/")
    assert ask(key) == 401
    _token, old = ApiToken.issue(user=operator, name="old", expires=timezone.now() - timedelta(seconds=1))
    assert ask(old) == 401
    assert ask("spt_made_up") == 401


def test_key_of_a_person_who_left_is_refused(operator: User) -> None:
    _token, key = ApiToken.issue(user=operator, name="x")
    operator.is_active = False
    operator.save()
    assert ask(key) == 401


def test_nobody_revokes_the_token_of_another(operator: User, viewer: User, client_as: ClientAs) -> None:
    token, key = ApiToken.issue(user=operator, name="x")
    assert client_as(viewer).post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert ask(key) == 200


def test_admin_sees_tokens_without_the_hash_and_the_trail_read_only(admin_user: User, client_as: ClientAs) -> None:
    token, _key = ApiToken.issue(user=admin_user, name="x")
    client = client_as(admin_user)
    assert token.digest not in client.get(f"/admin/core/apitoken/{token.pk}/change/").content.decode()
    assert client.get("/admin/core/auditentry/").status_code == 200
    assert client.get("/admin/core/auditentry/add/").status_code == 403
