"""`docs/openapi.yaml` is what tools are written against: it must say what the code does now."""

from __future__ import annotations

import difflib
import io
from pathlib import Path

import pytest
from django.core.management import call_command

from services_registry.models import Function
from shipments.models import Carrier

CHECKED_IN = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


def generated() -> list[str]:
    said = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=said)
    return said.getvalue().splitlines()


@pytest.mark.slow
@pytest.mark.django_db
def test_the_description_does_not_depend_on_what_is_stored() -> None:
    """Some filters offer the values in use, and the file is written on a developer's machine, with data."""
    before = generated()
    Function.objects.create(
        name="reads", arn="arn:aws:lambda:eu-west-1:123456789012:function:reads", runtime="python3.12", owner="ops",
        capability="render_pdf", memory_mb=128, timeout_s=3,
    )  # fmt: skip
    Carrier.objects.create(code="acme", name="Acme")
    assert generated() == before


@pytest.mark.django_db
def test_the_checked_in_api_description_is_what_the_code_generates() -> None:
    before, now = CHECKED_IN.read_text(encoding="utf-8").splitlines(), generated()
    difference = "\n".join(difflib.unified_diff(before, now, "docs/openapi.yaml", "the code", lineterm="", n=2))
    if difference.strip():
        pytest.fail(
            "The API's description is out of date. If the change is meant, write it anew with `make schema`\n"
            "(manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn) and keep it with the code.\n"
            f"{difference[:4000]}",
            pytrace=False,
        )
