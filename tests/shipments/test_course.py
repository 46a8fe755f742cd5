"""Promised against happened, and the other facts of a delivery in words: pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from shipments.choices import DocumentType
from shipments.deliveries.columns import clean
from shipments.deliveries.course import Dates, course_of, due_of, span_text, verdict_of
from shipments.deliveries.facts import parcels_of, party_of
from shipments.deliveries.missing import missing_of

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")
ORDERED = NOW - timedelta(days=4)


def after(**span: float) -> datetime:
    return NOW + timedelta(**span)


@pytest.mark.parametrize(
    ("status", "promised", "delivered", "text", "tone"),
    [
        ("delivered", after(days=-3), after(days=-1, hours=4), "2 d 4 h late", "orange"),
        ("delivered", after(days=-1), after(days=-1, hours=-5), "5 h early", "green"),
        ("delivered", after(days=-1), after(days=-1, seconds=30), "on time", "green"),
        ("delivered", None, after(days=-1, hours=-2), "delivered after 2 d 22 h", "green"),
        ("delivered", after(days=-1), None, "delivered, time not known", "secondary"),
        ("in_transit", after(days=1, hours=3), None, "due in 1 d 3 h", "blue"),
        ("in_transit", after(hours=2, minutes=5), None, "due in 2 h 5 min", "yellow"),
        ("in_transit", after(minutes=-90), None, "1 h 30 min overdue", "red"),
        ("in_transit", NOW, None, "1 min overdue", "red"),
        ("in_transit", None, None, "no date promised", "secondary"),
        ("cancelled", after(days=-1), None, "no longer expected", "secondary"),
        ("return_to_sender", after(days=-1), None, "no longer expected", "secondary"),
    ],
)
def test_verdict(status: str, promised: datetime | None, delivered: datetime | None, text: str, tone: str) -> None:
    assert verdict_of(status, Dates(ORDERED, promised=promised, delivered=delivered), NOW, MADRID) == (text, tone)


def test_a_promised_day_is_kept_until_it_is_over_where_the_person_is() -> None:
    promised = datetime(2026, 11, 24, tzinfo=UTC)
    assert due_of(promised, MADRID) == (datetime(2026, 11, 24, 23, tzinfo=UTC), True)

    def said(delivered: datetime | None, now: datetime = NOW) -> str:
        status = "delivered" if delivered else "in_transit"
        return verdict_of(status, Dates(ORDERED, promised=promised, delivered=delivered), now, MADRID).text

    assert said(datetime(2026, 11, 24, 22, 59, tzinfo=UTC)) == "on the promised day"
    assert said(datetime(2026, 11, 25, 1, tzinfo=UTC)) == "2 h late"
    assert said(datetime(2026, 11, 23, 21, tzinfo=UTC)) == "2 h early"
    assert said(None) == "due in 13 h"
    assert said(None, NOW + timedelta(hours=13)) == "1 min overdue"


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=20), "1 min"), (timedelta(minutes=59), "59 min"), (timedelta(hours=2), "2 h"),
        (timedelta(hours=23, minutes=59, seconds=45), "1 d"), (timedelta(days=-3, hours=-1), "3 d 1 h"),
        (timedelta(days=400), "400 d"),
    ],
)  # fmt: skip
def test_spans_have_two_units_at_most(span: timedelta, text: str) -> None:
    assert span_text(span) == text


def test_stops_lie_on_the_line_in_the_order_of_time_and_lateness_is_a_stretch_of_its_own() -> None:
    dates = Dates(ORDERED, after(days=-3), after(days=-1), after(days=-2), after(hours=-1))
    course = course_of("delivered", dates, now=NOW, zone=UTC)
    x = {stop.key: stop.x for stop in course.stops}
    assert x["ordered"] == 1.5 and x["delivered"] == 98.5 and course.now is None
    assert x["ordered"] < x["picked_up"] < x["promised"] < x["out_for_delivery"] < x["delivered"]  # type: ignore[operator]
    assert [stretch.key for stretch in course.stretches] == ["gone", "late"]
    assert sum(stretch.width for stretch in course.stretches) == pytest.approx(97)

    waiting = course_of("in_transit", Dates(ORDERED, promised=after(days=4)), now=NOW, zone=UTC)
    assert [stretch.key for stretch in waiting.stretches] == ["gone", "ahead"]
    assert waiting.now == pytest.approx(50)
    assert [str(stop.absent) for stop in waiting.stops if not stop.at] == ["not yet"] * 3
    assert str(course_of("delivered", dates, now=NOW, zone=UTC).stops[1].absent) == "not reported"
    early = course_of("delivered", Dates(ORDERED, promised=after(days=1), delivered=NOW), now=NOW, zone=UTC)
    assert [stretch.key for stretch in early.stretches] == ["gone", "early"]


def test_a_stated_delivery_does_not_count_once_the_carrier_says_otherwise() -> None:
    dates = Dates(ORDERED, promised=after(days=-2), delivered=after(days=-2))
    assert verdict_of("delivery_failed", dates, NOW, MADRID) == ("2 d overdue", "red")
    assert course_of("delivery_failed", dates, now=NOW, zone=UTC).stops[-1].at is None
    assert verdict_of("pending", dates, NOW, MADRID).text == "on time"


def test_nothing_known_and_everything_at_once_still_make_a_picture() -> None:
    for status in ("pending", "delivered", "cancelled"):
        course = course_of(status, Dates(NOW), now=NOW, zone=UTC)
        assert [stop.x for stop in course.stops] == [1.5, None, None, None, None]
    course_of("delivered", Dates(NOW, NOW, NOW, NOW, NOW), now=NOW, zone=UTC)
    course_of("delivered", Dates(NOW, delivered=after(days=-1)), now=NOW, zone=UTC)  # before it was ordered


def test_parcels_are_summed_exactly_and_only_what_is_stated_counts() -> None:
    stated = [
        {"number": "1", "weight_kg": "0.1", "length_cm": "40", "width_cm": "30.5"},
        {"weight_kg": "0.2"},
        {},
        "junk",
    ]
    parcels = parcels_of(stated + [{}] * 60)
    assert (parcels.count, parcels.kg, parcels.unweighed, parcels.hidden) == (63, Decimal("0.3"), 61, 13)
    assert (parcels.shown[0].size, parcels.sized) == ("40 × 30.5 × ?", True)
    assert (parcels_of([]).kg, parcels_of([{}]).sized) == (None, False)


def test_sizes_are_taken_in_where_stated_and_leave_other_parcels_as_they_were() -> None:
    def parcels(text: str) -> object:
        row = clean({"carrier": "acme", "tracking_number": "A1", "parcels": text})
        return row.values.get("parcels") or row.problems[0].code

    assert parcels('[{"weight_kg": 2, "length_cm": "40 cm", "width_cm": "30,5", "height_cm": 20.0}]') == [
        {"number": "1", "weight_kg": "2", "description": "", "length_cm": "40", "width_cm": "30.5", "height_cm": "20"}
    ]
    assert parcels('[{"weight_kg": 2}]') == [{"number": "1", "weight_kg": "2", "description": ""}]
    for wrong in ("-1", "wide", "20000"):
        assert parcels(f'[{{"length_cm": "{wrong}"}}]') == "bad_size"


def test_a_party_is_copied_as_it_is_written_on_a_label() -> None:
    party = party_of({"name": "Olmo", "street": "Calle 1", "postcode": "28005", "city": "Madrid", "country": "ES"})
    assert party.text == "Olmo\nCalle 1\n28005 Madrid\nES"
    assert party_of({}).text == ""


def test_what_is_missing_follows_the_status() -> None:
    note, proof = DocumentType.DELIVERY_NOTE, DocumentType.PROOF_OF_DELIVERY
    assert [lack.type for lack in missing_of("delivered", set()).lacks] == [proof, note]
    assert [lack.type for lack in missing_of("in_transit", {DocumentType.LABEL}).lacks] == [note]
    assert missing_of("in_transit", {DocumentType.LABEL, note}).present == [note, DocumentType.LABEL]
    assert missing_of("pending", set()).lacks == missing_of("delivered", {note, proof}).lacks == []
    assert missing_of("delivered", {note}).brought_by == ["fetch_documents"]
