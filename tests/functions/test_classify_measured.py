"""How right the classifier is on real messages. The floors are a little under what docs/classification.md reports."""

import csv
from collections.abc import Callable

import pytest

from shipments.functions.classify_messages.classifier import Decision, classify
from tests.shared_data import shared_path

MESSAGES = "carrier-messages/messages_dev.csv"
NEVER_READ = frozenset(
    [
        "asendia",
        "asendia_us",
        "dhl_dgf",
        "dhl_express",
        "dpdhl",
        "isklad",
        "locate2u",
        "ups_freight",
        "usps",
        "usps_international",
    ]
)
"""Carriers whose rows nobody looked at while the vocabulary was written (docs/classification.md)."""

Judged = tuple[dict[str, str], Decision]


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    with shared_path(MESSAGES).open(encoding="utf-8", newline="") as source:
        rows = [row for row in csv.DictReader(source) if row["scorable"] == "yes"]
    return [(row, classify(row["carrier"], row["carrier_code"], row["message"])) for row in rows]


def right(pair: Judged) -> bool:
    row, decision = pair
    return decision.status in (row["status"], *row["alt_status"].split("|"))


def share(pairs: list[Judged], test: Callable[[Judged], bool]) -> float:
    assert pairs
    return sum(map(test, pairs)) / len(pairs)


def test_status_is_right_nearly_nine_times_in_ten(judged: list[Judged]) -> None:
    assert share(judged, right) >= 0.88


def test_status_is_right_for_carriers_never_read(judged: list[Judged]) -> None:
    assert share([pair for pair in judged if pair[0]["carrier"] in NEVER_READ], right) >= 0.89


def test_what_is_applied_is_right_95_times_in_100(judged: list[Judged]) -> None:
    applied = [pair for pair in judged if pair[1].applied]
    assert share(applied, right) >= 0.95
    assert len(applied) / len(judged) >= 0.73


def test_reason_is_right_where_one_is_known(judged: list[Judged]) -> None:
    known = [pair for pair in judged if pair[0]["reason"]]
    assert share(known, lambda pair: pair[1].reason == pair[0]["reason"]) >= 0.69


def test_language_is_right(judged: list[Judged]) -> None:
    assert share(judged, lambda pair: pair[1].language == pair[0]["language"]) >= 0.97


def test_confidence_means_what_it_says(judged: list[Judged]) -> None:
    for low, high in ((0.5, 0.7), (0.7, 0.88), (0.88, 0.94), (0.94, 1.0)):
        band = [pair for pair in judged if low <= pair[1].confidence < high]
        said = sum(pair[1].confidence for pair in band) / len(band)
        assert abs(share(band, right) - said) < 0.2
