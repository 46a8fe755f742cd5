"""People are told by the ways they chose, once, outside of their quiet hours, and what became of it is in the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from core.models import Preference
from core.notices import sending, tell
from core.notices.choices import OPEN
from core.notices.models import Notice, NoticeDelivery, NoticePreference
from core.notices.quiet import quiet_until
from core.notifications import inbox, notify, withdraw
from core.tasks import send_notices
from core.webhooks import outbox, services
from core.webhooks.models import WebhookEvent
from tests.core.mail_sink import Sink, body_of, catching_mail, use_sink
from tests.core.receiver import receiving

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with catching_mail() as started:
        use_sink(settings, started)
        yield started


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: Any) -> None:
    """The tests send themselves."""
    monkeypatch.setattr(outbox, "_send", lambda task, argument: None)


def wants(user: User, *ways: str, topic: str = "budget", email: str = "") -> User:
    NoticePreference.objects.update_or_create(user=user, topic=topic, defaults={"channels": list(ways)})
    user.email = email or f"{user.username.split('-')[0]}@example.com"
    user.save(update_fields=["email"])
    return user


def quiet(user: User, first: time, last: time, *, urgent: bool = False, zone: str = "UTC") -> None:
    said = {"quiet_from": first, "quiet_to": last, "urgent_in_quiet": urgent, "time_zone": zone}
    Preference.objects.update_or_create(user=user, defaults=said)


def log() -> list[tuple[str, str]]:
    return list(NoticeDelivery.objects.order_by("pk").values_list("channel", "state"))


def again() -> None:
    """As if the wait after a failure were over."""
    NoticeDelivery.objects.filter(state__in=OPEN).update(due=timezone.now())
    send_notices()


def test_each_person_hears_by_the_ways_they_chose(viewer: User, operator: User, admin_user: User, sink: Sink) -> None:
    default_storage.save("reports/2026-10.pdf", ContentFile(b"%PDF-1.7 report"))
    wants(viewer, "inbox", "email")
    wants(operator, "inbox")
    wants(admin_user)
    tell([viewer, operator, admin_user], topic="budget", severity="warning", subject="80 %\n of labels", text="Spent 80 USD.",
         url="/costs/budgets/3/", attachment="reports/2026-10.pdf")  # fmt: skip
    assert log() == [("inbox", "sent"), ("email", "waiting"), ("inbox", "sent")]
    send_notices()
    send_notices()
    (letter,) = sink.letters
    assert letter["To"] == "viewer@example.com" and letter["Subject"] == "[Shipment platform] 80 % of labels"
    assert "Spent 80 USD." in body_of(letter) and "https://dash.example.com/costs/budgets/3/" in body_of(letter)
    assert [(part.get_filename(), part.get_content()) for part in letter.iter_attachments()] == [
        ("2026-10.pdf", b"%PDF-1.7 report")
    ]
    assert ("email", "sent") in log() and inbox(operator).get().text == "80 % of labels" and not inbox(admin_user)
    assert tell([admin_user], topic="budget", subject="x") is None and Notice.objects.count() == 1


def test_the_same_is_told_once_or_again_after_its_window_and_repeats_are_counted(viewer: User, operator: User) -> None:
    wants(viewer, "inbox")
    wants(operator, "inbox")
    said: dict[str, Any] = {"topic": "budget", "subject": "80 %", "key": "budget:1:80"}
    assert tell([viewer], **said) is not None
    assert [tell([viewer], **said) for _again in range(3)] == [None] * 3
    assert tell([viewer, operator], **said) is not None, "who was not told yet is told"
    suppressed = NoticeDelivery.objects.get(state="suppressed")
    assert (suppressed.attempts, suppressed.user) == (4, viewer)
    assert inbox(viewer).count() == inbox(operator).count() == 1
    Notice.objects.update(created=timezone.now() - timedelta(hours=2))
    assert tell([viewer], **said, window=timedelta(hours=3)) is None
    assert tell([viewer], **said, window=timedelta(hours=1)) is not None
    assert tell([viewer], topic="budget", subject="80 %", key="budget:2:80") is not None


def test_quiet_hours_hold_mail_back_until_one_digest_and_let_critical_ones_through(
    viewer: User, operator: User, sink: Sink
) -> None:
    now = timezone.now()
    around = ((now - timedelta(hours=2)).time(), (now + timedelta(hours=2)).time())
    quiet(wants(viewer, "inbox", "email"), *around)
    quiet(wants(operator, "email"), *around, urgent=True)
    for number in range(3):
        tell([viewer], topic="budget", subject=f"Message {number}", text=f"Text {number}")
    tell([viewer, operator], topic="budget", subject="On fire", severity="critical")
    send_notices()
    assert [letter["To"] for letter in sink.letters] == ["operator@example.com"]
    assert inbox(viewer).count() == 4, "the inbox makes no noise"
    held = NoticeDelivery.objects.filter(state="held")
    assert held.count() == 4
    assert {row.due for row in held} == {quiet_until(viewer.preference, "info", now)}
    quiet(viewer, (now + timedelta(hours=2)).time(), (now + timedelta(hours=3)).time())
    again()
    (digest,) = sink.to("viewer@example.com")
    assert "4 messages from your quiet hours: Message 0" in digest["Subject"]
    assert all(f"Text {number}" in body_of(digest) for number in range(3)) and "On fire" in body_of(digest)
    assert NoticeDelivery.objects.filter(state="sent", reason="in a digest of 4").count() == 4


def test_quiet_hours_are_those_of_the_persons_zone_also_when_clocks_change() -> None:
    madrid = Preference(time_zone="Europe/Madrid", quiet_from=time(22), quiet_to=time(7))

    def until(*moment: int) -> datetime | None:
        return quiet_until(madrid, "critical", datetime(*moment, tzinfo=UTC))  # type: ignore[arg-type,misc]

    assert until(2026, 10, 24, 19, 59) is None and until(2026, 10, 24, 20, 0) == datetime(2026, 10, 25, 6, tzinfo=UTC)
    assert until(2026, 10, 25, 5, 59) == datetime(2026, 10, 25, 6, tzinfo=UTC) and until(2026, 10, 25, 6, 0) is None
    assert until(2026, 3, 28, 22, 0) == datetime(2026, 3, 29, 5, tzinfo=UTC)
    lunch = Preference(time_zone="nowhere/at-all", quiet_from=time(10), quiet_to=time(11))
    assert quiet_until(lunch, "info", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)) == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert quiet_until(Preference(), "info", timezone.now()) is None


@pytest.mark.slow
def test_a_busy_or_silent_server_is_tried_later_and_a_refused_address_is_not(
    viewer: User, operator: User, sink: Sink
) -> None:
    wants(viewer, "email")
    wants(operator, "email", email="gone@example.com")
    sink.busy, sink.refuse_to = b"451 come back later", {"gone@example.com": b"550 no such person"}
    tell([viewer, operator], topic="budget", subject="Hello")
    send_notices()
    waiting, failed = NoticeDelivery.objects.get(user=viewer), NoticeDelivery.objects.get(user=operator)
    assert (waiting.state, waiting.attempts) == ("waiting", 1) and "come back later" in waiting.reason
    assert waiting.due is not None and timedelta(seconds=50) < waiting.due - timezone.now() < timedelta(seconds=80)
    assert (failed.state, failed.reason) == ("failed", "the address was refused: no such person")
    sink.mute = True
    again()
    waiting.refresh_from_db()
    assert waiting.state == "waiting" and "cannot be used" in waiting.reason and waiting.attempts == 2
    sink.mute, sink.busy = False, b""
    again()
    waiting.refresh_from_db()
    assert waiting.state == "sent" and len(sink.letters) == 1
    waits = [sending.wait_after(number).total_seconds() for number in range(1, 10)]
    assert [wait >= least for wait, least in zip(waits, [60, 240, 960, 3600], strict=False)] == [True] * 4
    NoticeDelivery.objects.filter(pk=waiting.pk).update(state="waiting", attempts=sending.MOST_TRIES - 1)
    sink.busy = b"451 never"
    again()
    waiting.refresh_from_db()
    assert waiting.state == "failed"


def test_without_an_address_or_a_server_the_log_says_so(viewer: User, operator: User, settings: Any) -> None:
    settings.EMAIL_HOST = settings.EMAIL_FILE_PATH = ""
    wants(viewer, "email", "webhook")
    wants(operator, "email")
    User.objects.filter(pk=operator.pk).update(email="")
    tell([viewer, operator], topic="budget", subject="Hello")
    send_notices()
    reasons = {row.reason for row in NoticeDelivery.objects.filter(state="failed")}
    assert reasons == {
        "no mail server is set (EMAIL_HOST)", "no webhook subscribes to notification.message",
        "this person has no e-mail address",
    }  # fmt: skip


def test_a_message_travels_by_the_signed_webhook_with_the_persons_name(viewer: User, settings: Any) -> None:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with receiving() as receiver:
        chat, _secret = services.create_subscription(
            name="chat", url=receiver.url, events=["notification.message"], actor=None
        )
        tell([wants(viewer, "webhook")], topic="budget", subject="80 %", url="/costs/budgets/1/")
        send_notices()
        from core.webhooks.sending import work

        work(chat.pk)
    (event,) = receiver.events
    assert event["data"]["to"] == viewer.username and event["data"]["messages"][0]["subject"] == "80 %"
    assert WebhookEvent.objects.get().type == "notification.message" and log() == [("webhook", "sent")]


def test_what_is_claimed_by_another_sender_is_left_to_it_until_its_lease_ends(viewer: User, sink: Sink) -> None:
    tell([wants(viewer, "email")], topic="budget", subject="Hello")
    NoticeDelivery.objects.update(claimed_until=timezone.now() + timedelta(minutes=1))
    send_notices()
    assert sink.letters == []
    NoticeDelivery.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    send_notices()
    assert len(sink.letters) == 1


def test_mentions_and_the_like_are_mailed_to_who_wants_that_and_cost_one_query_more(
    viewer: User, operator: User, sink: Sink, query_budget: Any
) -> None:
    wants(viewer, "email", topic="mention")
    for _again in range(2):
        notify([viewer, operator], "mention", "ana mentioned you", "/deliveries/5/", dedupe_key="note:7")
    send_notices()
    assert len(sink.letters) == 1 and not inbox(viewer)
    wants(viewer, "inbox", "email", topic="mention")
    for _again in range(2):
        notify([viewer], "mention", "ana mentioned you", "/deliveries/5/", dedupe_key="note:8")
    assert inbox(viewer).count() == 1 and Notice.objects.count() == 2
    withdraw("note:8")
    assert not NoticeDelivery.objects.filter(state="waiting").exists()
    with query_budget(4):  # two of them: begin and end
        notify([operator], "mention", "quick", dedupe_key="note:9")


def test_choices_are_made_on_a_page_and_checked(client_as: Any, viewer: User, admin_user: User) -> None:
    client = client_as(viewer)
    page = client.get("/account/notifications/").content.decode()
    assert 'name="ways-mention" value="inbox"' in page and "Nothing was sent to you yet" in page
    said = {"ways-mention": ["email", "inbox"], "email": "ana@example.com", "quiet_from": "22:00", "quiet_to": "07:00"}
    assert client.post("/account/notifications/", said).status_code == 302
    viewer.refresh_from_db()
    assert viewer.email == "ana@example.com"
    assert NoticePreference.objects.get(user=viewer, topic="mention").channels == ["inbox", "email"]
    assert Preference.objects.get(user=viewer).quiet_from == time(22)
    for wrong in ({"quiet_to": ""}, {"email": "nonsense"}, {"quiet_to": "22:00"}, {"ways-mention": ["pigeon"]}):
        answer = client.post("/account/notifications/", said | wrong)
        assert answer.status_code == 400 and "needs a correction" in answer.content.decode(), wrong
    tell([viewer], topic="mention", subject="Look here", url="/deliveries/")
    assert "Look here" in client.get("/account/notifications/").content.decode()
    admin = client_as(admin_user)
    for name in ("notice", "noticedelivery", "noticepreference"):
        assert admin.get(f"/admin/core/{name}/").status_code == 200


def test_tools_read_and_change_their_persons_choices_only(api_client: Any, viewer: User, operator: User) -> None:
    client = api_client(viewer)
    before = client.get("/api/v1/me/notifications/").json()
    assert before["ways"]["mention"] == ["inbox"] and before["quiet_from"] is None
    said = {"ways": {"mention": ["email"]}, "quiet_from": "22:00", "quiet_to": "07:00"}
    assert client.patch("/api/v1/me/notifications/", said, format="json").json()["ways"]["mention"] == ["email"]
    after = client.patch("/api/v1/me/notifications/", {"email": "ana@example.com"}, format="json").json()
    assert (after["quiet_from"], after["email"], after["ways"]["mention"]) == ("22:00:00", "ana@example.com", ["email"])
    for wrong in (
        {"quiet_to": None},
        {"ways": {"mention": ["pigeon"]}},
        {"ways": {"weather": ["inbox"]}},
        {"colour": 1},
    ):
        assert client.patch("/api/v1/me/notifications/", wrong, format="json").status_code == 400, wrong
    tell([viewer, operator], topic="stop", subject="Look here")
    (row,) = client.get("/api/v1/me/notifications/log/").json()["results"]
    assert (row["subject"], row["channel"], row["state"]) == ("Look here", "inbox", "sent")
