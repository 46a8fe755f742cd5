"""What the benches work on: functions in the local AWS, payloads of a realistic size, deliveries, people."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from core.aws import storage
from core.aws.functions import create_function
from core.roles import OPERATOR, ensure_groups, give_role
from services_registry.models import Function
from shipments.models import Carrier, Shipment

NOOP, WAIT_50_MS, WAIT_5_S = "bench-noop", "bench-wait-50ms", "bench-wait-5s"
_WAITS = {NOOP: "0", WAIT_50_MS: "0.05", WAIT_5_S: "5"}
_TIMEOUT_S = 60
# Answers the batch envelope, and a plain payload, as quickly as can be.
_HANDLER = """
import os
import time

WAIT_S = float(os.environ["WAIT_S"])


def handler(event, context):
    if WAIT_S:
        time.sleep(WAIT_S)
    results = [{"id": item["id"], "ok": True, "value": {}} for item in event.get("items", ())]
    return {"version": 1, "results": results, "unfinished": [], "stats": {}}
"""


def publish_functions() -> None:
    """Publish the functions and write their registry rows."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", _HANDLER)
    for name, wait in _WAITS.items():
        create_function(
            region=settings.AWS_REGION, code_zip=packed.getvalue(), FunctionName=name, Runtime="python3.12",
            Role="arn:aws:iam::123456789012:role/bench", Handler="app.handler", Timeout=_TIMEOUT_S, MemorySize=128,
            Environment={"Variables": {"WAIT_S": wait}},
        )  # fmt: skip
        Function.objects.create(
            account="123456789012", region=settings.AWS_REGION, name=name, memory_mb=128, timeout_s=_TIMEOUT_S,
            arn=f"arn:aws:lambda:{settings.AWS_REGION}:123456789012:function:{name}", runtime="python3.12",
        )  # fmt: skip
    storage.ensure_bucket()


def limit_function(name: str, at_once: int) -> None:
    """The cap that the engine keeps for a function."""
    Function.objects.filter(name=name).update(dispatch_limit=at_once)


def payloads(count: int) -> list[dict[str, Any]]:
    """About 400 bytes of JSON each, like one delivery."""
    return [
        {
            "tracking_number": f"BN{number:010d}ES",
            "carrier": "Correos Express",
            "reference": f"order-{number}",
            "recipient": {
                "name": "María Fernández", "street": "Calle de Alcalá 48, 3º B", "postcode": "28014",
                "city": "Madrid", "country": "ES",
            },
            "parcels": [{"number": f"{number}-1", "weight_kg": 1.25, "description": "spare parts"}],
            "created": "2026-11-20",
            "promised": "2026-11-23",
            "notes": "Please ring twice.",
        }
        for number in range(count)
    ]  # fmt: skip


def make_operator() -> User:
    ensure_groups()
    user = User.objects.create_user("bench")
    give_role(user, OPERATOR)
    return User.objects.get(pk=user.pk)


def make_deliveries(count: int) -> None:
    """Rows of the deliveries table."""
    carrier = Carrier.objects.create(code="bench", name="Bench Express")
    now = timezone.now()
    rows = (
        Shipment(
            carrier=carrier, tracking_number=f"BN{number:010d}ES", reference=f"order-{number}",
            customer=f"Customer {number % 500}", recipient={"name": "María Fernández", "city": "Madrid"},
            created=now - timedelta(seconds=number),
        )
        for number in range(count)
    )  # fmt: skip
    Shipment.objects.bulk_create(rows, batch_size=2_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE shipments_shipment")
