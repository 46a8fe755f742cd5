"""Steps of the first start: publish the sample fleet, sync, write its labelled history."""

from collections.abc import Callable

from django.conf import settings

from core import slots
from services_registry.models import Function
from services_registry.registry import sync_functions
from services_registry.samples.fleet import sample_fleet
from services_registry.samples.history import write_history
from services_registry.samples.publish import publish_fleet

EXECUTABLE = 4  # rendered, fetched, classified, and the wait probe: published by the app that owns them


def _publish(log: Callable[[str], None]) -> None:
    log(f"{publish_fleet(sample_fleet(EXECUTABLE))} sample functions published")


def _sync(log: Callable[[str], None]) -> None:
    result = sync_functions(region=settings.AWS_REGION)
    log(f"{result.seen} functions synced ({result.created} new, {result.changed} changed, {len(result.failed)} failed)")


def _history(log: Callable[[str], None]) -> None:
    functions = {function.name: function for function in Function.objects.filter(sample=True)}
    log(f"{write_history(functions, sample_fleet(EXECUTABLE))} rows of sample history written")


slots.setup_steps.register(
    slots.SetupStep("sample-fleet", _publish, order=20, sample_only=True),
    slots.SetupStep("sync-functions", _sync, order=30, sample_only=True),
    slots.SetupStep("sample-history", _history, order=40, sample_only=True),
)
