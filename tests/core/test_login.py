"""Pages ask for a login, everything carries the policy, and errors speak the right language."""

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from tests.factories import PASSWORD

ClientAs = Callable[[User], Client]

pytestmark = pytest.mark.django_db


def test_page_sends_strangers_to_the_login_and_back(operator: User) -> None:
    client = Client()
    refused = client.get("/account/")
    assert refused.status_code == 302
    assert refused["Location"] == "/login/?next=/account/"
    entered = client.post(
        refused["Location"], {"username": operator.username, "password": PASSWORD, "next": "/account/"}
    )
    assert entered["Location"] == "/account/"
    assert client.get("/account/").status_code == 200


def test_wrong_password_is_refused_with_a_message(operator: User) -> None:
    answer = Client().post("/login/", {"username": operator.username, "password": "wrong"})
    assert answer.status_code == 200
    assert "Please enter a correct username and password" in answer.content.decode()


def test_fragment_sends_the_whole_window_to_the_login() -> None:
    answer = Client().get(
        "/search/?q=abc", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/account/"}
    )
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/login/?next=%2Faccount%2F"


def test_policy_forbids_inline_and_foreign_code_on_every_answer(viewer: User, client_as: ClientAs) -> None:
    for path in ("/", "/login/", "/nowhere/", "/healthz", "/api/v1/me/"):
        policy = client_as(viewer).get(path)["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/account/", "/search/?q=abc", "/nowhere/"])
def test_pages_bring_no_inline_style_script_or_handler(path: str, viewer: User, client_as: ClientAs) -> None:
    page = client_as(viewer).get(path).content.decode()
    assert "<main" in page
    for forbidden in (" style=", "<style", " onclick=", " hx-on", "<script>", "javascript:"):
        assert forbidden not in page


def test_theme_choice_stays_with_the_person(viewer: User, client_as: ClientAs) -> None:
    client = client_as(viewer)
    assert client.post("/account/theme/", {"theme": "dark"}).status_code == 204
    assert 'data-bs-theme="dark"' in client.get("/").content.decode()
    assert client.post("/account/theme/", {"theme": "pink"}).status_code == 400


def test_errors_of_pages_are_pages_and_of_the_api_json(viewer: User, client_as: ClientAs) -> None:
    page = client_as(viewer).get("/nowhere/")
    assert page.status_code == 404
    assert page["X-Request-ID"] in page.content.decode()
    api = client_as(viewer).get("/api/v1/nowhere/", headers={"X-Request-ID": "from-the-proxy-1"})
    assert api.status_code == 404
    error = json.loads(api.content)["error"]
    assert error["code"] == "not_found"
    assert error["request_id"] == "from-the-proxy-1" == api["X-Request-ID"]


def test_api_without_a_key_says_401_in_the_one_shape() -> None:
    answer = APIClient().get("/api/v1/me/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert set(answer.json()["error"]) == {"code", "message", "fields", "request_id"}
