"""Setup steps: our own deployable functions in the local AWS (never in a real account), and what carriers' codes mean."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from core import slots
from services_registry.samples.publish import present_functions, publish_function
from shipments.functions.package import FUNCTIONS, build
from shipments.models import CarrierConnection
from shipments.status.seed import seed_status_data


def _publish(log: Callable[[str], None]) -> None:
    if not settings.AWS_ENDPOINT_URL:
        log("a real AWS account: functions are deployed with shipments/functions/template.yaml")
        return
    present = present_functions()
    missing = [function for function in FUNCTIONS.values() if function.name not in present]
    with tempfile.TemporaryDirectory() as folder:
        for function in missing:
            publish_function(
                name=function.name,
                code_zip=build(function.name, Path(folder)).read_bytes(),
                tags=function.tags,
                Runtime=function.runtime,
                Handler=function.handler,
                Description=function.description,
                MemorySize=function.memory_mb,
                Timeout=function.timeout_s,
                Architectures=[function.architecture],
            )
    log(f"{len(missing)} of our {len(FUNCTIONS)} functions published")


def _stock(log: Callable[[str], None]) -> None:
    """Tell the carrier stand-in for which deliveries it shall hold a proof of delivery."""
    if not settings.CARRIER_STANDIN:
        return
    wanted: dict[str, list[str]] = {}
    for connection in CarrierConnection.objects.filter(carrier__sample=True).select_related("carrier"):
        numbers = (
            connection.carrier.shipments.filter(sample=True).order_by("pk").values_list("tracking_number", flat=True)
        )
        wanted.setdefault(connection.protocol, []).extend(numbers)
    path = settings.VAR_DIR / "carrier" / "wanted.json"
    path.write_text(json.dumps(wanted), encoding="utf-8")
    log(f"the carrier stand-in is asked for {sum(map(len, wanted.values()))} proofs of delivery")


def _status_data(log: Callable[[str], None]) -> None:
    reasons, mappings = seed_status_data()
    log(f"{reasons} reasons and {mappings} code mappings added")


slots.setup_steps.register(
    slots.SetupStep("status-data", _status_data, order=15),
    slots.SetupStep("publish-functions", _publish, order=10),
    slots.SetupStep("standin-stock", _stock, order=70, sample_only=True),
)
