"""A function's page and its "run it" form."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from services_registry.models import Batch, Function, FunctionRevision

ClientAs = Callable[[User], Client]
Make = Callable[..., Function]
Report = Callable[..., None]


def test_seven_charts_each_with_its_source(
    make_function: Make, report: Report, client_as: ClientAs, viewer: User
) -> None:
    function = make_function("labels-render")
    report(function, count=30, init_ms=250.0, max_memory_mb=300)
    text = client_as(viewer).get(f"/functions/{function.pk}/").content.decode()
    assert text.count('class="chart" id="chart-') == 7
    assert "refused calls (throttles) never start" in text and "peaks within a step are higher" in text
    assert function.arn in text


def test_without_measurements_the_page_says_so(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    function = make_function("silent")
    text = client_as(viewer).get(f"/functions/{function.pk}/").content.decode()
    assert "Nothing was measured in this time" in text and "No single invocation on record" in text


def test_no_capacity_reserved_means_stopped(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    stopped = make_function("stopped-one", reserved_concurrency=0)
    free = make_function("free-one")
    assert "0: stopped" in client.get(f"/functions/{stopped.pk}/").content.decode()
    assert "none reserved" in client.get(f"/functions/{free.pk}/").content.decode()


def test_revisions_read_as_differences(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    function = make_function("changed")
    changes = {"timeout_s": [30, 900], "code_bytes": [1_000_000, 52_000_000], "layers": [[], [{"arn": "a:1"}]]}
    FunctionRevision.objects.create(function=function, changes=changes)
    text = client_as(viewer).get(f"/functions/{function.pk}/").content.decode()
    assert "30 s</del> → <ins" in text and "900 s</ins>" in text
    assert "52.0 MB" in text and "<dt>code size</dt>" in text


def test_viewers_read_why_they_cannot_run_it(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    function = make_function("labels-render")
    client = client_as(viewer)
    text = client.get(f"/functions/{function.pk}/").content.decode()
    assert "needs the operator role" in text and "Run once" not in text
    assert client.post(f"/functions/{function.pk}/run/", {"payload": "{}"}).status_code == 403


def test_operators_run_it_as_a_batch_of_one(make_function: Make, client_as: ClientAs, operator: User) -> None:
    function = make_function("labels-render")
    client = client_as(operator)
    answer = client.post(f"/functions/{function.pk}/run/", {"payload": '{"x": 1}', "reason": "a try"})
    batch = Batch.objects.get()
    assert answer.headers["Location"] == f"/batches/{batch.pk}/"
    assert (batch.function_name, batch.payload, batch.reason, batch.total) == ("labels-render", {"x": 1}, "a try", 1)


def test_a_payload_that_is_not_json_is_refused_and_kept(
    make_function: Make, client_as: ClientAs, operator: User
) -> None:
    function = make_function("labels-render")
    answer = client_as(operator).post(f"/functions/{function.pk}/run/", {"payload": "{oops"})
    assert answer.status_code == 400
    assert "This is not JSON" in answer.content.decode() and "{oops" in answer.content.decode()
    assert not Batch.objects.exists()


def test_by_name_prefers_the_function_that_is_still_there(
    make_function: Make, client_as: ClientAs, viewer: User
) -> None:
    make_function("twice", region="eu-west-2", gone=timezone.now())
    present = make_function("twice")
    client = client_as(viewer)
    assert client.get("/functions/by-name/twice/").headers["Location"] == f"/functions/{present.pk}/"
    assert client.get("/functions/by-name/nobody/").status_code == 404


def test_the_home_panel_names_functions_with_timeouts(
    make_function: Make, report: Report, client_as: ClientAs, viewer: User
) -> None:
    report(make_function("runs-over"), count=2, status="timeout")
    report(make_function("is-fine"), count=5)
    text = client_as(viewer).get("/functions/home/").content.decode()
    assert "runs-over" in text and "is-fine" not in text
