"""Notes on functions, saved payloads, and the fleet by hour and by what a price depends on, filled from what is there."""

import uuid
from collections import defaultdict
from datetime import timedelta
from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

from services_registry.telemetry.histogram import encode, merge

HOURS_FILLED = timedelta(days=9)
"""Fleet charts show hours of at most eight days; older ones are shown by day."""
SUMS = ("invocations", "errors", "timeouts", "cold_starts", "duration_ms", "init_ms", "billed_ms", "billed_mb_ms")
_FILL_DAYS = f"""
INSERT INTO services_registry_fleetusage
    (day, region, architecture, origin, {", ".join(SUMS)}, max_memory_mb, histogram, updated)
SELECT day, region, architecture, origin, {", ".join(f"sum(row.{name})" for name in SUMS)}, max(max_memory_mb), '', now()
FROM services_registry_functionday row JOIN services_registry_function function ON function.id = row.function_id
GROUP BY day, region, architecture, origin
"""  # noqa: S608  # names of ours


def fill(apps: Any, schema_editor: Any) -> None:
    """Days as sums, without histograms, which nothing reads of them; the last hours in full."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_FILL_DAYS)
    hours = apps.get_model("services_registry", "FunctionHour").objects.filter(hour__gte=timezone.now() - HOURS_FILLED)
    fleet_hour = apps.get_model("services_registry", "FleetHour")
    rows: dict[tuple[Any, ...], Any] = {}
    histograms: defaultdict[tuple[Any, ...], list[bytes]] = defaultdict(list)
    names = ("hour", "function__region", "function__architecture", "origin", "max_memory_mb", "histogram", *SUMS)
    for values in hours.order_by().values_list(*names).iterator(5_000):
        key, memory, histogram, numbers = values[:4], values[4], values[5], values[6:]
        row = rows.setdefault(key, fleet_hour(hour=key[0], region=key[1], architecture=key[2], origin=key[3]))
        for name, number in zip(SUMS, numbers, strict=True):
            setattr(row, name, getattr(row, name) + number)
        row.max_memory_mb = max(row.max_memory_mb, memory)
        histograms[key].append(histogram)
    for key, row in rows.items():
        row.histogram = encode(merge(histograms[key]))
    fleet_hour.objects.bulk_create(rows.values(), batch_size=1_000)


class Migration(migrations.Migration):
    dependencies = [
        ("services_registry", "0011_findings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FleetHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("invocations", models.BigIntegerField(default=0)),
                ("errors", models.BigIntegerField(default=0, help_text="failed ones, time-outs included")),
                ("timeouts", models.BigIntegerField(default=0)),
                ("cold_starts", models.BigIntegerField(default=0)),
                ("duration_ms", models.FloatField(default=0, help_text="sum")),
                ("init_ms", models.FloatField(default=0, help_text="sum")),
                ("billed_ms", models.BigIntegerField(default=0, help_text="sum")),
                (
                    "billed_mb_ms",
                    models.DecimalField(
                        decimal_places=0,
                        default=0,
                        help_text="sum of billed ms × configured MB; an exact whole number",
                        max_digits=24,
                    ),
                ),
                ("max_memory_mb", models.PositiveIntegerField(default=0, help_text="the largest seen")),
                (
                    "histogram",
                    models.BinaryField(default=b"", help_text="durations in log buckets, see telemetry.histogram"),
                ),
                ("updated", models.DateTimeField(default=django.utils.timezone.now)),
                ("hour", models.DateTimeField()),
                ("region", models.CharField(max_length=30)),
                ("architecture", models.CharField(max_length=10)),
                (
                    "origin",
                    models.CharField(
                        choices=[("reports", "measured from REPORT lines"), ("sample", "sample data")],
                        default="reports",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ["hour"],
                "constraints": [
                    models.UniqueConstraint(fields=("hour", "region", "architecture", "origin"), name="fleet_hour_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="FleetUsage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("invocations", models.BigIntegerField(default=0)),
                ("errors", models.BigIntegerField(default=0, help_text="failed ones, time-outs included")),
                ("timeouts", models.BigIntegerField(default=0)),
                ("cold_starts", models.BigIntegerField(default=0)),
                ("duration_ms", models.FloatField(default=0, help_text="sum")),
                ("init_ms", models.FloatField(default=0, help_text="sum")),
                ("billed_ms", models.BigIntegerField(default=0, help_text="sum")),
                (
                    "billed_mb_ms",
                    models.DecimalField(
                        decimal_places=0,
                        default=0,
                        help_text="sum of billed ms × configured MB; an exact whole number",
                        max_digits=24,
                    ),
                ),
                ("max_memory_mb", models.PositiveIntegerField(default=0, help_text="the largest seen")),
                (
                    "histogram",
                    models.BinaryField(default=b"", help_text="durations in log buckets, see telemetry.histogram"),
                ),
                ("updated", models.DateTimeField(default=django.utils.timezone.now)),
                ("day", models.DateField()),
                ("region", models.CharField(max_length=30)),
                ("architecture", models.CharField(max_length=10)),
                (
                    "origin",
                    models.CharField(
                        choices=[("reports", "measured from REPORT lines"), ("sample", "sample data")],
                        default="reports",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ["day"],
                "constraints": [
                    models.UniqueConstraint(fields=("day", "region", "architecture", "origin"), name="fleet_usage_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="FunctionNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("author_name", models.CharField(max_length=150)),
                ("text", models.TextField()),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                ("edited", models.DateTimeField(blank=True, null=True)),
                ("deleted", models.DateTimeField(blank=True, help_text="empty: it is shown", null=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "function",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="remarks",
                        to="services_registry.function",
                    ),
                ),
            ],
            options={
                "ordering": ["-created", "-id"],
                "indexes": [models.Index(fields=["function", "-created", "-id"], name="note_of_function")],
            },
        ),
        migrations.CreateModel(
            name="SavedPayload",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("payload", models.JSONField(help_text="no secrets: everybody who sees it can read it")),
                (
                    "shared",
                    models.BooleanField(default=False, help_text="everybody sees it; only its owner changes it"),
                ),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                ("changed", models.DateTimeField(default=django.utils.timezone.now)),
                ("deleted", models.DateTimeField(blank=True, help_text="empty: it is offered", null=True)),
                (
                    "function",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="payloads",
                        to="services_registry.function",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
                "indexes": [models.Index(fields=["function", "name"], name="payload_of_function")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted", None)), fields=("function", "owner", "name"), name="payload_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                condition=models.Q(("capability", "")), fields=["function_name", "-created"], name="batch_runs"
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
