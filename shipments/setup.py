"""Setup steps: our own deployable functions in the local AWS (never in a real account), and what carriers' codes mean."""

import json
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from core import slots
from services_registry.samples.publish import present_functions, publish_function
from shipments import rollups
from shipments.completeness.seed import SAMPLE_DAYS, seed_rules
from shipments.completeness.upkeep import keep_up
from shipments.functions.package import FUNCTIONS, build
from shipments.models import CarrierConnection
from shipments.status.seed import seed_status_data

UPKEEP_S = 60
"""A start waits no longer for the upkeep of missing documents; the worker goes on with it."""


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


def _document_rules(log: Callable[[str], None]) -> None:
    today = timezone.now().date()
    made = seed_rules(today - timedelta(days=SAMPLE_DAYS) if settings.SAMPLE_DATA else today)
    log(f"{made} rules of expected documents were made" if made else "rules of expected documents are kept as they are")


def _completeness(log: Callable[[str], None]) -> None:
    log(f"{keep_up(seconds=UPKEEP_S)} deliveries looked at for missing documents")


def _home(log: Callable[[str], None]) -> None:
    failed = [outcome for outcome in rollups.refresh(only_due=True) if outcome.problem]
    log("the numbers of the home page are counted" if not failed else "some numbers of the home page come later")


slots.setup_steps.register(
    slots.SetupStep("document-rules", _document_rules, order=16),
    slots.SetupStep("completeness", _completeness, order=80),
    slots.SetupStep("home-numbers", _home, order=90),
    slots.SetupStep("status-data", _status_data, order=15),
    slots.SetupStep("publish-functions", _publish, order=10),
    slots.SetupStep("standin-stock", _stock, order=70, sample_only=True),
)
