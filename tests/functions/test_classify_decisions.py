"""What a carrier's message means."""

import pytest

from shipments.functions.classify_messages.classifier import APPLY_FROM, classify, classify_item, classify_many


@pytest.mark.parametrize(
    ("language", "status", "message"),
    [
        ("en", "delivered", "Your package was left at the front door"),
        ("en", "in_transit", "Departed sorting hub"),
        ("en", "delivery_delayed", "A delay has occurred"),
        ("es", "out_for_delivery", "En reparto"),
        ("es", "return_to_sender", "Devuelto al remitente"),
        ("de", "ready_for_pickup", "Das Paket liegt im Paketshop zur Abholung bereit"),
        ("de", "pending", "Die Sendung wurde elektronisch angekuendigt"),
        ("fr", "on_hold", "Colis en cours de dédouanement"),
        ("fr", "delivery_failed", "Destinataire absent, avis de passage déposé"),
        ("it", "delivery_failed", "Mancata consegna, destinatario assente"),
        ("it", "picked_up", "La spedizione è stata presa in carico"),
        ("pt", "ready_for_pickup", "Objeto aguardando retirada no endereço indicado"),
        ("nl", "delivery_failed", "Pakket geweigerd door ontvanger"),
        ("pl", "out_for_delivery", "Przesyłka wydana do doręczenia"),
        ("sv", "ready_for_pickup", "Paketet finns att hämta hos ombud"),
        ("da", "delivered", "Pakken er leveret"),
        ("no", "in_transit", "Sendingen er underveis"),
        ("cs", "delivered", "Zásilka byla doručena"),
        ("tr", "delivery_failed", "Alıcı adreste bulunamadı"),
        ("zh", "delivered", "快件已签收"),
    ],
)
def test_understands_many_languages(language: str, status: str, message: str) -> None:
    decision = classify("some carrier", "", message)
    assert (decision.status, decision.language) == (status, language)
    assert decision.translation


@pytest.mark.parametrize(
    "message",
    [
        "Not delivered",
        "Envío no entregado",
        "Die Sendung konnte nicht zugestellt werden",
        "Votre colis n'a pas pu être livré",
        "Spedizione non consegnata",
        "Objeto não entregue",
        "Pakket niet bezorgd",
        "Forsendelsen kunne ikke leveres",
        "NotDelivered",
        "NOT_DELIVERED",
    ],
)
def test_a_denied_delivery_is_a_failed_delivery(message: str) -> None:
    assert classify("some carrier", "", message).status == "delivery_failed"


def test_portuguese_no_is_not_a_denial() -> None:
    assert classify("some carrier", "", "Objeto entregue no endereço do destinatário").status == "delivered"


def test_accents_and_case_do_not_matter() -> None:
    statuses = {classify("x", "", text).status for text in ("DEVOLUCIÓN", "devolucion", "Devolución")}
    assert statuses == {"return_to_sender"}


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("consignee_refused", "Annahme verweigert"),
        ("consignee_not_home", "Delivery attempted, nobody home"),
        ("consignee_incorrect_address", "Dirección incorrecta"),
        ("consignee_business_closed", "Destinatario chiuso per ferie"),
        ("carrier_damaged_parcel", "Parcel damaged"),
        ("customs_duties_unpaid", "Held at customs, awaiting payment of duties"),
        ("weather_delay", "Livraison retardée en raison des intempéries"),
        ("", "Delivered"),
    ],
)
def test_says_why(reason: str, message: str) -> None:
    assert classify("some carrier", "", message).reason == reason


def test_a_return_outranks_the_failure_before_it() -> None:
    decision = classify("x", "", "The parcel could not be delivered. It is being returned to the sender.")
    assert decision.status == "return_to_sender"


def test_a_public_code_decides_before_the_text() -> None:
    decision = classify("some post", "EMI", "Unsuccessful")
    assert (decision.status, decision.decided_by, decision.applied) == ("delivered", "code", True)


def test_an_unknown_code_leaves_it_to_the_text() -> None:
    decision = classify("some post", "ZZ99", "Out for delivery")
    assert (decision.status, decision.decided_by) == ("out_for_delivery", "text")


def test_a_code_of_one_carrier_means_nothing_at_another() -> None:
    assert classify("fedex", "DL", "").status == "delivered"
    assert classify("some carrier", "DL", "").status == "unknown"


def test_a_code_made_of_words_helps_when_the_text_is_silent() -> None:
    decision = classify("some carrier", "OUT_FOR_DELIVERY", "")
    assert (decision.status, decision.decided_by) == ("out_for_delivery", "code-text")


def test_applies_only_what_is_confident() -> None:
    sure, vague, silent = (classify("x", "", text) for text in ("Delivered", "Received by carrier", "qwxz"))
    assert sure.applied
    assert sure.confidence >= APPLY_FROM > vague.confidence
    assert not vague.applied
    assert (silent.status, silent.applied, silent.confidence, silent.decided_by) == ("unknown", False, 0.0, "none")


def test_english_passes_through_and_is_kept_short() -> None:
    assert classify("x", "", "  Out  for\ndelivery ").translation == "Out for delivery"
    assert len(classify("x", "", "Out for delivery " * 500).translation) == 300


def test_many_are_the_same_as_one_by_one() -> None:
    rows = [("a", "", "Delivered"), ("b", "EMH", ""), ("c", "", "En tránsito")]
    assert classify_many(rows) == [classify(*row) for row in rows]


def test_an_item_may_lack_fields() -> None:
    answer = classify_item({"id": "7", "carrier": None, "message": "Delivered"})
    assert answer["status"] == "delivered"
    assert set(answer) == {"status", "reason", "confidence", "applied", "language", "translation", "decided_by"}
