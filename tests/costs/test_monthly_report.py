"""The monthly report is printed by our function, kept once, and told on the 1st to who wants it, with the PDF."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.utils import timezone
from pypdf import PdfReader
from rest_framework.test import APIClient

from core.errors import RefusedError
from core.models import AuditEntry
from core.money import format_money
from core.notices.models import Notice
from core.tasks import send_notices
from core.webhooks import outbox
from costs import sums
from costs.anomalies.finding import look
from costs.budgets.services import create_budget
from costs.models import MonthlyReport
from costs.overview import overview
from costs.report.mailing import send_report
from costs.report.making import make_report
from costs.tasks import monthly_report
from services_registry.models import CapabilityBinding, Function, FunctionDay
from tests.core.mail_sink import Sink, catching_mail, use_sink
from tests.costs.usage import usage
from tests.shipments.renderer import renderer

__all__ = ["renderer"]
pytestmark = [pytest.mark.usefixtures("prices"), pytest.mark.django_db]
Make = Callable[..., Function]
TODAY = timezone.now().date()
MONTH = sums.month_before(TODAY.replace(day=1))


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with catching_mail() as started:
        use_sink(settings, started)
        yield started


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: Any) -> None:
    monkeypatch.setattr(outbox, "_send", lambda task, argument: None)


def fleet(make_function: Make, count: int = 5) -> None:
    for number in range(count):
        function = make_function(f"labels-{number}", capability=f"capability-{number % 3}", owner="documents")
        usage(function, MONTH - timedelta(days=70), (TODAY - MONTH).days + 71, lambda day: 100 + day.day, gb_s=50_000)


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.slow
def test_it_says_what_the_pages_say_and_replaces_an_earlier_one(
    make_function: Make, renderer: str, client_as: Any, admin_user: User, viewer: User, operator: User
) -> None:
    fleet(make_function)
    odd = MONTH + timedelta(days=9)
    FunctionDay.objects.filter(function__name="labels-3", day=odd).update(billed_mb_ms=10**13, billed_ms=10**13 // 512)
    look(odd + timedelta(days=1))
    create_budget(name="Everything", scope="all", key="", amount=Decimal(900), currency="USD", thresholds=[],
                  people=[], actor=admin_user)  # fmt: skip
    client, address = client_as(operator), f"/costs/reports/{MONTH:%Y-%m}"
    assert client_as(viewer).post(f"{address}/make/").status_code == 403
    sums.refresh_late()
    assert "Make it" in client.get("/costs/reports/").content.decode()
    assert client.post(f"{address}/make/").status_code == 302
    answer = client.get(f"{address}.pdf")
    pdf = b"".join(answer)
    assert answer["Content-Type"] == "application/pdf" and pdf.startswith(b"%PDF-")
    said, shown = text_of(pdf), overview(MONTH, TODAY, "USD")
    assert f"Costs of {MONTH:%B %Y}" in said and format_money(shown.total.spent) in said
    for name in ("labels-3", "capability-2", "documents", "Everything", "duration of calls", "No bill of this month"):
        assert name in said, name
    report = MonthlyReport.objects.get()
    assert report.pages == len(PdfReader(io.BytesIO(pdf)).pages) >= 2 and report.made_by_name == operator.username
    first = report.file
    make_report(MONTH, actor=operator)
    assert MonthlyReport.objects.get().file != first and AuditEntry.objects.filter(verb="cost_report.made").count() == 2
    for wrong in ("2020-13", "nonsense", f"{TODAY.year + 1}-01"):
        assert client.get(f"/costs/reports/{wrong}.pdf").status_code == 404
    default_storage.delete(MonthlyReport.objects.get().file)
    assert client.get(f"{address}.pdf").status_code == 404


def test_it_is_mailed_once_with_the_pdf(
    make_function: Make, renderer: str, admin_user: User, viewer: User, sink: Sink
) -> None:
    fleet(make_function, 2)
    User.objects.filter(pk=admin_user.pk).update(email="boss@example.com")
    User.objects.filter(pk=viewer.pk).update(email="viewer@example.com")
    monthly_report()
    assert send_report(MONTH, TODAY) is False
    send_notices()
    (letter,) = sink.letters
    assert letter["To"] == "boss@example.com" and f"Costs of {MONTH:%Y-%m}: ≈ $" in letter["Subject"]
    (pdf,) = letter.iter_attachments()
    assert pdf.get_content_type() == "application/pdf" and f"Costs of {MONTH:%B %Y}" in text_of(pdf.get_content())
    assert Notice.objects.count() == 1 and MonthlyReport.objects.get().mailed is not None


def test_when_it_cannot_be_printed_nobody_is_told_and_the_next_try_does_it(
    make_function: Make, renderer: str, admin_user: User, client_as: Any
) -> None:
    with pytest.raises(RefusedError, match="Nothing is known"):
        make_report(MONTH, actor=None)
    fleet(make_function, 1)
    binding = CapabilityBinding.objects.create(capability="render_pdf", function_name="not-there")
    with pytest.raises(RefusedError, match="could not be printed"):
        send_report(MONTH, TODAY)
    page = client_as(admin_user).post(f"/costs/reports/{MONTH:%Y-%m}/make/", follow=True).content.decode()
    assert "could not be printed" in page and not MonthlyReport.objects.exists() and not Notice.objects.exists()
    binding.delete()
    assert send_report(MONTH, TODAY) is True


def test_tools_make_and_read_reports(
    make_function: Make, renderer: str, api_client: Callable[[User], APIClient], operator: User, viewer: User
) -> None:
    fleet(make_function, 1)
    client = api_client(operator)
    assert (
        api_client(viewer).post("/api/v1/costs/reports/", {"month": f"{MONTH:%Y-%m}"}, format="json").status_code == 403
    )
    for wrong in ("2026-13", "2099-01", "October"):
        assert client.post("/api/v1/costs/reports/", {"month": wrong}, format="json").status_code == 400
    made = client.post("/api/v1/costs/reports/", {"month": f"{TODAY:%Y-%m}"}, format="json")
    assert made.status_code == 201 and made.json()["pages"] >= 2
    (listed,) = client.get("/api/v1/costs/reports/").json()["results"]
    pdf = b"".join(client.get(f"/api/v1/costs/reports/{listed['id']}/pdf/"))
    assert "The month is not over" in text_of(pdf)
