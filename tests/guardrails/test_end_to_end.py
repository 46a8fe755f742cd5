"""The whole claim, on real parts: a function that times out is found, stopped, answers 429, is restored; the audit says so."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from core.audit import target_of
from core.models import AuditEntry
from services_registry.batches import drain, start_runs
from services_registry.choices import BatchState
from services_registry.models import Finding, Function
from services_registry.registry import sync_all
from services_registry.tasks import evaluate_timeouts


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_function_that_times_out_is_found_stopped_and_restored(
    sleeper: str, aws: Any, ops_lead: Any, operator: Any, api_client: Any, prices: None
) -> None:
    sync_all(full=True)
    function = Function.objects.get(name=sleeper)
    # Twenty calls that sleep longer than the function may run: AWS ends each after a second, and says so in its log.
    batch = start_runs(
        function_name=sleeper, region=settings.AWS_REGION, payloads=[{"sleep": 5}] * 20, actor=operator, source="api",
        concurrency=20,
    )  # fmt: skip
    assert drain(lambda: BatchState(type(batch).objects.get(pk=batch.pk).state) == BatchState.DONE, 60)
    assert function.reports.filter(status="timeout").count() == 20
    evaluate_timeouts([function.pk])  # what the ingest asks for
    client = api_client(ops_lead)
    [finding] = client.get(f"/api/v1/findings/?function={function.pk}").json()["results"]
    assert (finding["rule"], finding["severity"], finding["evidence"]["timeouts"]) == ("timeouts", "danger", 20)
    assert float(finding["money_usd"]) > 0

    address = f"/api/v1/functions/{function.pk}"
    assert api_client(operator).get(f"{address}/stop/").status_code == 403
    preview = client.get(f"{address}/stop/").json()
    assert preview["running"]["ended"] == 20 and preview["consequences"][0]["code"] == "async_lost"
    stopped = client.post(f"{address}/stop/", {"reason": "every call times out"}).json()
    assert (stopped["state"], stopped["former_reserved"], stopped["problems"]) == ("stopped", None, [])
    with pytest.raises(Exception, match="TooManyRequests|Rate Exceeded"):
        aws.invoke(FunctionName=sleeper, Payload=b"{}")
    plan = (
        api_client(operator).post("/api/v1/batches/plan/", {"function": sleeper, "payload": {}}, format="json").json()
    )
    [warned] = [warning["text"] for warning in plan["warnings"] if warning["code"] == "stopped"]
    assert "was stopped by lead (every call times out)" in warned

    difference = client.get(f"{address}/restore/").json()
    assert [step["will_be"] for step in difference["steps"] if step["changes"]] == ["none reserved", "Enabled"]
    assert client.post(f"{address}/restore/", {"reason": "mended"}).json()["state"] == "restored"
    assert aws.invoke(FunctionName=sleeper, Payload=b"{}")["StatusCode"] == 200
    assert [row["state"] for row in client.get("/api/v1/stops/").json()["results"]] == ["restored"]

    row = Finding.objects.get(pk=finding["id"])
    said = AuditEntry.objects.filter(target__in=[target_of(row), target_of(function)]).order_by("pk")
    assert [(entry.verb, entry.source) for entry in said] == [
        ("finding.opened", "system"), ("function.stopping", "api"), ("function.stopped", "api"),
        ("function.restoring", "api"), ("function.restored", "api"),
    ]  # fmt: skip
    by_verb: dict[str, Any] = {entry.verb: entry for entry in said}
    assert by_verb["function.stopped"].before["reserved_concurrency"] is None
    assert list(by_verb["function.stopped"].after["event_sources"].values()) == ["Disabled"]
    assert list(by_verb["function.restored"].after["event_sources"].values()) == ["Enabled"]
