"""When a carrier is looked at: its days and hours in its own zone, by interval, each by itself."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from services_registry.models import Batch
from shipments import tasks
from shipments.connections.listing import moment_of
from shipments.connections.sweeps import due_connections, forget_sweeps, next_sweep_of, window_open
from shipments.models import Carrier, CarrierConnection


def in_madrid(**fields: object) -> CarrierConnection:
    values = {"zone": "Europe/Madrid", "sweep_minutes": 30, "sweep_days": "01234", "port": 21} | fields
    return CarrierConnection(protocol="ftp", host="x", username="u", **values)


@pytest.mark.parametrize(
    ("begin", "end", "moment", "is_open"),
    [
        (time(8), time(18), "2026-11-24T07:00", True),  # Tuesday 08:00 in Madrid
        (time(8), time(18), "2026-11-24T06:59", False),
        (time(8), time(18), "2026-11-24T17:00", False),
        (time(8), time(18), "2026-11-28T10:00", False),  # Saturday
        (time(22), time(4), "2026-11-27T22:00", True),  # Friday night
        (time(22), time(4), "2026-11-28T02:00", True),  # still Friday's night
        (time(22), time(4), "2026-11-23T02:00", False),  # Monday morning belongs to Sunday
        (time(8), time(18), "2026-07-07T06:30", True),  # summer time
        (None, None, "2026-11-24T02:00", True),
    ],
)
def test_hours_are_the_carriers(begin: time | None, end: time | None, moment: str, is_open: bool) -> None:
    connection = in_madrid(sweep_from=begin, sweep_until=end)
    assert window_open(connection, datetime.fromisoformat(moment).replace(tzinfo=UTC)) is is_open


def test_says_when_it_is_looked_at_next() -> None:
    connection = in_madrid(sweep_from=time(8), sweep_until=time(18))
    friday_evening = datetime(2026, 11, 27, 19, 0, tzinfo=UTC)
    assert next_sweep_of(connection, friday_evening) == datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
    assert next_sweep_of(in_madrid(sweep_minutes=0), friday_evening) is None
    assert next_sweep_of(in_madrid(paused_at=friday_evening), friday_evening) is None


def test_a_listing_without_zone_is_by_the_carriers_clock() -> None:
    assert moment_of("2026-07-01T12:00:00", "Europe/Madrid") == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    assert moment_of("2026-07-01T12:00:00+00:00", "Europe/Madrid") == datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert moment_of("nonsense", "UTC") is None and moment_of(None, "UTC") is None


def test_each_due_carrier_gets_a_batch_of_its_own(db: None) -> None:
    for code, minutes in (("a", 10), ("b", 10), ("by-hand", 0)):
        carrier = Carrier.objects.create(code=code, name=code)
        CarrierConnection.objects.create(
            carrier=carrier, protocol="ftp", host="x", port=21, username="u", sweep_minutes=minutes
        )
    due = due_connections(timezone.now())
    assert len(due) == 2
    for pk in [*due, *due]:  # a message may come twice
        tasks.sweep_connection(pk)
    assert Batch.objects.filter(capability="sweep_connections").count() == 2
    assert due_connections(timezone.now()) == [], "not before the interval is over"
    old = datetime(2026, 1, 1, tzinfo=UTC)
    Batch.objects.update(state="done", finished=old)
    assert forget_sweeps(timezone.now()) == 2


def test_odd_settings_are_refused() -> None:
    for field, value in (("zone", "Mars/Base"), ("sweep_days", "78"), ("port", 0)):
        with pytest.raises(ValidationError) as refused:
            in_madrid(**{field: value}).clean_fields(exclude=["carrier"])
        assert field in refused.value.message_dict
    with pytest.raises(ValidationError, match="moved to"):
        in_madrid(after_fetch="move").clean()
