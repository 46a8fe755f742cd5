"""Percentiles from merged histograms are at most 2 % away from the exact ones."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services_registry.telemetry.histogram import Histogram, bucket_of, decode, encode, merge, percentile

durations = st.floats(0.01, 900_000, allow_nan=False)
histograms = st.dictionaries(st.integers(0, 65_535), st.integers(1, 1_000_000), max_size=60).map(Counter)


def of(values: list[float]) -> Histogram:
    return Counter(bucket_of(value) for value in values)


@given(st.lists(durations, min_size=1, max_size=300), st.floats(0, 1))
def test_a_percentile_is_within_two_percent_of_the_exact_one(values: list[float], share: float) -> None:
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    assert percentile(of(values), share) == pytest.approx(exact, rel=0.02)


@given(histograms)
def test_encoding_keeps_every_count(histogram: Histogram) -> None:
    encoded = encode(histogram)
    assert decode(encoded) == histogram
    assert decode(memoryview(encoded)) == histogram
    assert encode(decode(encoded)) == encoded


@given(st.lists(histograms, max_size=6))
def test_merging_encoded_ones_is_adding_up(parts: list[Histogram]) -> None:
    assert merge(encode(part) for part in parts) == sum(parts, Counter())


@given(st.lists(durations, min_size=1), st.lists(durations, min_size=1))
def test_merged_percentiles_are_those_of_all_values(left: list[float], right: list[float]) -> None:
    merged = merge([encode(of(left)), encode(of(right))])
    assert percentile(merged, 0.95) == percentile(of(left + right), 0.95)


def test_nothing_has_no_percentile_and_zero_is_zero() -> None:
    assert percentile(Counter(), 0.5) is None
    assert decode(b"") == Counter()
    assert percentile(of([0.0, -1.0]), 0.5) == 0.0
