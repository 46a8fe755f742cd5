"""`manage.py ingest_reports FILE` on each kind of file a person has."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from services_registry.models import Function, InvocationReport
from tests.telemetry.conftest import report_line, request_id

STAMP = int(time.time()) - 86_400
NOISE = "START RequestId: x Version: $LATEST\nan application's own line\n"


def ingest(file: Path, *arguments: str) -> dict[str, Any]:
    said = io.StringIO()
    call_command("ingest_reports", str(file), *arguments, stdout=said)
    counts: dict[str, Any] = json.loads(said.getvalue())
    return counts


def ndjson(function: str, count: int) -> str:
    group = f"/aws/lambda/{function}"
    return "".join(
        json.dumps({"logGroup": group, "timestamp": 1000 * STAMP + n, "message": report_line(request_id(n))}) + "\n"
        for n in range(count)
    )


def test_plain_text_belongs_to_the_function_named(tmp_path: Path, make_function: Callable[[str], Function]) -> None:
    make_function("mine")
    file = tmp_path / "function.log"
    file.write_text(NOISE + report_line(request_id(1)) + "\n" + report_line(request_id(2)) + "\n", encoding="utf-8")
    counts = ingest(file, "--function", "mine")
    assert (counts["events"], counts["reports"], counts["new"]) == (4, 2, 2)
    assert set(InvocationReport.objects.values_list("function__name", flat=True)) == {"mine"}
    again = ingest(file, "--function", "mine")
    assert (again["new"], again["known"]) == (0, 2)


def test_events_name_their_function_and_time(tmp_path: Path, make_function: Callable[[str], Function]) -> None:
    make_function("theirs")
    file = tmp_path / "events.ndjson"
    file.write_text(ndjson("theirs", 3), encoding="utf-8")
    assert ingest(file)["new"] == 3
    assert {report.at.timestamp() // 1 for report in InvocationReport.objects.all()} == {STAMP}
    assert set(InvocationReport.objects.values_list("function__name", flat=True)) == {"theirs"}


def test_a_gz_holds_the_same_as_the_file(tmp_path: Path, make_function: Callable[[str], Function]) -> None:
    make_function("theirs")
    plain, packed = tmp_path / "events.ndjson", tmp_path / "events.ndjson.gz"
    plain.write_text(ndjson("theirs", 5), encoding="utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert ingest(packed)["new"] == 5
    again = ingest(plain)
    assert (again["new"], again["known"]) == (0, 5)


@pytest.mark.django_db
def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.log cannot be read: No such file"):
        ingest(tmp_path / "nowhere.log")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [b"no gzip at all", gzip.compress(b"cut off" * 1000)[:-12], gzip.compress(b"")[:10] + b"garbled" * 10],
    ids=["no-gzip", "cut-off", "garbled"],
)
def test_a_damaged_gz_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "damaged.log.gz"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=r"damaged\.log\.gz"):
        ingest(file)
