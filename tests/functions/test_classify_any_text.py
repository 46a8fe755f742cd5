"""The classifier takes whatever a carrier sends."""

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipments.functions.classify_messages.classifier import classify, classify_item
from shipments.functions.classify_messages.rules import STATUSES


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=400))
def test_any_text_gives_one_and_the_same_decision(carrier: str, code: str, message: str) -> None:
    decision = classify(carrier, code, message)
    assert decision == classify(carrier, code, message)
    assert decision.status in STATUSES
    assert 0.0 <= decision.confidence <= 1.0


_WORDS = st.sampled_from(
    [
        "not",
        "no",
        "nicht",
        "delivered",
        "return",
        "-",
        ".",
        "(",
        ")",
        ":",
        "zugestellt",
        "entregado",
        "customs",
        "派送",
        "失败",
        "refused",
        "to",
        "sender",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=40))
def test_any_order_of_known_words_is_decided(words: list[str]) -> None:
    assert classify("x", "", " ".join(words)).status in STATUSES


def test_a_pasted_log_is_not_slow() -> None:
    classify("x", "", "warm up")
    started = time.perf_counter()
    for message in ("not " * 25_000, "é" * 100_000, "a-b " * 25_000, "\x00\ud800" * 50_000):
        classify("x", message, message)
    assert time.perf_counter() - started < 1.0


def test_non_text_values_do_not_crash() -> None:
    assert classify_item({"carrier": 5, "carrier_code": 12.5, "message": ["Delivered"]})["status"] == "delivered"


def test_needs_no_django_and_no_data_before_the_first_message() -> None:
    program = (
        "import sys, shipments.functions.classify_messages.classifier as c;"
        "assert c.shared.cache_info().currsize == 0; assert not {'django', 'numpy', 'boto3'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)  # noqa: S603 -- our own interpreter, fixed text
