"""Steps of the first start: publish the sample fleet, and write its labelled history once it is synced."""

from collections.abc import Callable

from core import slots
from core.timerange import PRESETS
from services_registry.models import Function
from services_registry.samples.fleet import sample_fleet
from services_registry.samples.history import write_history
from services_registry.samples.publish import publish_fleet
from services_registry.standings import ageing, refresh_standings

EXECUTABLE = 4  # rendered, fetched, classified, and the wait probe: published by the app that owns them


def _publish(log: Callable[[str], None]) -> None:
    log(f"{publish_fleet(sample_fleet(EXECUTABLE))} sample functions published")


def _history(log: Callable[[str], None]) -> None:
    functions = {function.name: function for function in Function.objects.filter(sample=True)}
    log(f"{write_history(functions, sample_fleet(EXECUTABLE))} rows of sample history written")


def _standings(log: Callable[[str], None]) -> None:
    """At a start: what the workers have kept up meanwhile is not summed again."""
    names = ageing(PRESETS)
    log(f"{refresh_standings(names)} sums of functions over {len(names)} of {len(PRESETS)} usual ranges")


slots.setup_steps.register(
    slots.SetupStep("sample-fleet", _publish, order=20, sample_only=True),
    slots.SetupStep("sample-history", _history, order=40, sample_only=True),
    slots.SetupStep("standings", _standings, order=90),
)
