"""The one function that says in which status a delivery is."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipments.choices import Status
from shipments.status import Derived, Happening, status_of

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
REASONS = ["", "", "consignee_refused", "customs_delay", "returned", "delivered_in_error"]


def at(hour: float, status: str, reason: str = "", *, unmapped: bool = False, message: bool = False) -> Happening:
    moment = START + timedelta(hours=hour)
    return Happening(moment, moment, status, reason, unmapped, message)


def said(*events: Happening) -> tuple[str, str]:
    derived = status_of(events)
    return derived.status, derived.reason


@st.composite
def happenings(draw: st.DrawFn) -> Happening:
    """Few moments, so that many happen at the same time; some far ahead, some with unknown codes."""
    moment = START + timedelta(hours=draw(st.sampled_from([0, 1, 2, 24, 80, 200])))
    received = moment - timedelta(hours=draw(st.sampled_from([0, 0, 0, -5, 30])))
    unmapped = draw(st.booleans()) and draw(st.booleans())
    status = "" if unmapped else draw(st.sampled_from(["", *Status.values]))
    reason = "" if unmapped else draw(st.sampled_from(REASONS))
    message = not unmapped and draw(st.booleans())
    return Happening(moment, received, status, reason, unmapped, message)


HISTORIES = st.lists(happenings(), max_size=14)


@given(HISTORIES, st.randoms(use_true_random=False))
def test_any_order_of_the_same_events_gives_the_same_status(events: list[Happening], chance: random.Random) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert status_of(shuffled) == status_of(events)


@given(HISTORIES, st.data())
def test_duplicates_change_nothing(events: list[Happening], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(events), max_size=10)) if events else []
    assert status_of(events + again) == status_of(events)


@given(HISTORIES)
def test_when_an_event_was_received_plays_no_part_in_the_order(events: list[Happening]) -> None:
    in_time = [event for event in events if event.at - event.received <= timedelta(days=1)]
    later = [event._replace(received=event.received + timedelta(hours=place)) for place, event in enumerate(in_time)]
    assert status_of(later) == status_of(in_time)


@given(HISTORIES)
def test_events_with_unknown_codes_never_change_the_status(events: list[Happening]) -> None:
    mapped = [event for event in events if not event.unmapped]
    with_all, without = status_of(events), status_of(mapped)
    assert with_all[:3] == without[:3]
    assert with_all.unmapped is False or any(event.unmapped for event in events)


@given(HISTORIES)
def test_an_answer_is_always_one_of_the_statuses_or_nothing(events: list[Happening]) -> None:
    derived = status_of(events)
    assert derived.status in {"", *Status.values} - {"unknown"}
    assert (derived.status_at is None) == (derived.status == "")
    assert derived.last_event is None or derived.status_at is None or derived.status_at <= derived.last_event


def test_no_events_say_nothing() -> None:
    assert status_of([]) == Derived()


def test_a_later_event_wins_and_a_repetition_keeps_reason_and_start() -> None:
    derived = status_of([at(1, "in_transit"), at(5, "on_hold", "customs_delay"), at(9, "on_hold")])
    assert derived == Derived("on_hold", "customs_delay", START + timedelta(hours=5), START + timedelta(hours=9), False)


def test_at_the_same_moment_what_is_further_along_wins() -> None:
    assert said(at(3, "out_for_delivery"), at(3, "in_transit"), at(3, "picked_up")) == ("out_for_delivery", "")


def test_at_the_same_moment_an_event_goes_before_a_message() -> None:
    assert said(at(3, "in_transit"), at(3, "delivered", message=True)) == ("in_transit", "")
    assert said(at(3, "in_transit"), at(4, "delivered", message=True)) == ("delivered", "")


def test_a_label_never_lowers_a_status() -> None:
    assert said(at(1, "in_transit"), at(2, "pending")) == ("in_transit", "")


def test_unknown_says_nothing() -> None:
    assert said(at(1, "in_transit"), at(2, "unknown")) == ("in_transit", "")


@pytest.mark.parametrize("status", ["in_transit", "out_for_delivery", "on_hold", "delivery_delayed", "cancelled"])
def test_delivered_stays_against_late_scans_for_72_hours(status: str) -> None:
    assert said(at(0, "delivered"), at(72, status)) == ("delivered", "")
    assert said(at(0, "delivered"), at(73, status)) == (status, "")


def test_a_second_delivery_scan_does_not_move_the_moment_of_delivery() -> None:
    assert status_of([at(0, "delivered"), at(8, "delivered")]).status_at == START


def test_a_delivery_is_corrected_by_a_failure_a_return_or_by_an_error_reason() -> None:
    assert said(at(0, "delivered"), at(1, "delivery_failed", "consignee_not_home"))[0] == "delivery_failed"
    assert said(at(0, "delivered"), at(1, "return_to_sender"))[0] == "return_to_sender"
    corrected = said(at(0, "delivered"), at(1, "in_transit", "delivered_in_error"))
    assert corrected == ("in_transit", "delivered_in_error")


def test_delivered_on_the_way_back_means_back_at_the_sender() -> None:
    events = [at(0, "return_to_sender", "consignee_refused"), at(10, "in_transit"), at(30, "delivered")]
    assert status_of(events)[:3] == ("return_to_sender", "returned", START + timedelta(hours=30))
    assert said(*events, at(40, "out_for_delivery"), at(41, "return_to_sender")) == ("return_to_sender", "returned")


def test_scans_on_the_way_back_keep_the_return_and_its_reason() -> None:
    events = [at(0, "return_to_sender", "consignee_refused"), at(10, "on_hold", "customs_delay"), at(11, "picked_up")]
    assert said(*events) == ("return_to_sender", "consignee_refused")


def test_a_pick_up_after_the_return_begins_a_new_journey() -> None:
    events = [at(0, "return_to_sender"), at(30, "delivered"), at(90, "picked_up"), at(99, "delivered")]
    assert said(*events) == ("delivered", "")


def test_cancelled_is_final_unless_picked_up_afterwards() -> None:
    assert said(at(0, "cancelled"), at(5, "in_transit"), at(9, "pending")) == ("cancelled", "")
    assert said(at(0, "cancelled"), at(5, "picked_up"), at(9, "in_transit")) == ("in_transit", "")


def test_an_unmapped_latest_event_keeps_the_status_and_marks_the_delivery() -> None:
    derived = status_of([at(0, "in_transit"), at(5, "", unmapped=True)])
    assert derived == Derived("in_transit", "", START, START + timedelta(hours=5), unmapped=True)
    assert status_of([at(0, "", unmapped=True), at(5, "in_transit")]).unmapped is False


def test_an_event_dated_more_than_a_day_ahead_is_left_out() -> None:
    ahead = Happening(START + timedelta(days=40), START, "delivered")
    assert status_of([at(0, "in_transit"), ahead])[:4] == ("in_transit", "", START, START)
    soon = Happening(START + timedelta(hours=20), START, "delivered")
    assert said(at(0, "in_transit"), soon) == ("delivered", "")
