"""The standing cast: an operator, a viewer, an admin, and clients signed in as them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.bounded import forget_counts
from core.models import ApiToken
from shipments.reasons import forget_reasons
from tests.factories import make_user
from tests.running_platform import Platform, running

FIRST_CACHE = 4  # the databases of Valkey before it belong to the broker and to started platforms
_process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
django_settings.AWS_CALLS_FLUSH_S = 0  # no thread that writes beside a test's transaction
# Tests clear the cache; each process has one of its own.
_cache = django_settings.CACHES["default"]
_cache["LOCATION"] = f"{str(_cache['LOCATION']).rstrip('0123456789')}{FIRST_CACHE + _process}"


@pytest.fixture(autouse=True)
def plain_static_files(settings: Any) -> None:
    """No manifest of hashed names: tests run without collecting static files."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """A real hash takes half a second on purpose; most tests only need somebody to be there."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Any) -> None:
    """Documents and logins of a test go to its own folder."""
    settings.VAR_DIR = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "documents")},
        }
    }


@pytest.fixture(autouse=True)
def no_counts_from_before() -> None:
    """ "More than 10,000" and labels are remembered for a minute in a process; another test has another database."""
    forget_counts()
    forget_reasons()


@pytest.fixture
def viewer(db: None) -> User:
    return make_user("viewer")


@pytest.fixture
def operator(db: None) -> User:
    return make_user("operator")


@pytest.fixture
def admin_user(db: None) -> User:
    return make_user("admin")


@pytest.fixture
def client_as() -> Callable[[User], Client]:
    """`client_as(operator).get("/")`"""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def api_client() -> Callable[[User], APIClient]:
    """`api_client(operator).get("/api/v1/…")`, with a real bearer token."""

    def with_token(user: User) -> APIClient:
        _token, key = ApiToken.issue(user=user, name="test")
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        return client

    return with_token


@pytest.fixture
def query_budget() -> Callable[[int], AbstractContextManager[None]]:
    """`with query_budget(12): client.get(…)` fails with the queries when there are more."""

    @contextmanager
    def budget(most: int) -> Iterator[None]:
        with CaptureQueriesContext(connection) as caught:
            yield
        if len(caught) > most:
            listed = "\n".join(query["sql"][:200] for query in caught.captured_queries)
            pytest.fail(f"{len(caught)} queries, at most {most} allowed:\n{listed}", pytrace=False)

    return budget


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole platform in processes of its own, without sample data; one for all tests that talk to it by HTTP."""
    if sys.platform != "linux":
        pytest.skip("finds and kills processes by /proc, which only Linux has")
    with running(tmp_path_factory.mktemp("platform") / "var") as started:
        yield started
