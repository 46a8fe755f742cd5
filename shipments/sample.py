"""Sample deliveries for trying things out, always marked as such; and the connections to the carrier stand-in."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import slots
from services_registry.models import BatchSchedule
from shipments import sample_documents as sample_documents  # registers its step
from shipments.deliveries.importer import import_shipments
from shipments.deliveries.reading import bytes_of
from shipments.models import Carrier, CarrierConnection, CarrierMessage, Letterhead, Shipment, TrackingEvent
from shipments.sample_events import events_of, map_sample_codes
from shipments.sample_notes import write_sample_notes
from shipments.status import derive

SEED, DELIVERIES, DAYS = 20261123, 600, 90
SEVERAL = 6
"""Every sixth delivery has several parcels."""
# Six carriers that do not exist, two on each protocol.
CARRIERS = (
    ("sample-rapido-sur", "Rápido Sur", "ftp"), ("sample-colis-vert", "Colis Vert", "ftps"),
    ("sample-nordpaket", "Nordpaket Kurier", "sftp"), ("sample-veloce", "Veloce Corriere", "ftp"),
    ("sample-lusoenvios", "Luso Envios", "ftps"), ("sample-wisla", "Wisła Przesyłki", "sftp"),
)  # fmt: skip
PLACES = (
    ("ES", "Calle del Almendro", "28005", "Madrid"), ("ES", "Avenida del Puerto", "46021", "Valencia"),
    ("FR", "Rue des Tilleuls", "69003", "Lyon"), ("FR", "Quai du Moulin", "33000", "Bordeaux"),
    ("DE", "Lindenweg", "20095", "Hamburg"), ("DE", "Am Alten Hafen", "50667", "Köln"),
    ("IT", "Via dei Mulini", "40121", "Bologna"), ("IT", "Corso del Lago", "10121", "Torino"),
    ("PT", "Rua das Oliveiras", "4050-449", "Porto"), ("PL", "ulica Lipowa", "30-702", "Kraków"),
    ("GB", "Mill Lane", "M1 2WD", "Manchester"), ("CH", "Lindenhofweg", "8001", "Zürich"),
)  # fmt: skip
CUSTOMERS = ("Ferretería Olmo", "Atelier Brume", "Werkhof Lenz", "Libreria Quercia", "Casa do Sal", "Sklep Jodła")
# What, commodity code, euros a piece, country of origin, packing.
GOODS = (
    ("books", "490199", 14, "ES", "carton"), ("spare parts for pumps", "841391", 86, "DE", "crate"),
    ("ceramic tableware", "691110", 22, "PT", "carton"), ("roasted coffee", "090121", 9, "IT", "sack"),
    ("cotton textiles", "630260", 17, "PT", "bale"), ("garden tools", "820130", 24, "DE", "carton"),
    ("table lamps", "940521", 39, "CN", "carton"),
)  # fmt: skip
STATUSES = (
    ("delivered",) * 12
    + ("in_transit",) * 3
    + ("out_for_delivery", "pending", "delivery_failed", "on_hold", "delivery_delayed")
)
MESSAGES = (
    "Entregado al destinatario", "Envío en reparto", "Dirección incorrecta, pendiente de datos", "Ausente, segundo intento mañana",
    "Colis livré au gardien", "Colis en cours d'acheminement", "Destinataire absent, avis de passage déposé",
    "Zustellung erfolgreich", "Die Sendung ist im Zustellfahrzeug", "Annahme verweigert, Rücksendung an den Absender",
    "Consegnato", "Spedizione in giacenza presso la filiale", "Entregue ao vizinho", "Encomenda retida na alfândega",
    "Przesyłka doręczona", "Przesyłka gotowa do odbioru w punkcie", "Delivered, left in safe place", "Delayed by bad weather",
)  # fmt: skip


def sample_rows(n: int, seed: int, end: datetime) -> list[dict[str, Any]]:
    """Believable deliveries of the 90 days before `end`; the same arguments give the same rows."""
    chance = random.Random(seed)  # noqa: S311  # made-up data, nothing secret
    rows = []
    for number in range(n):
        country, street, postcode, city = chance.choice(PLACES)
        customer, status = chance.choice(CUSTOMERS), chance.choice(STATUSES)
        created = end - timedelta(minutes=chance.randrange(DAYS * 24 * 60))
        rows.append({
            "carrier": CARRIERS[number % len(CARRIERS)][0], "tracking_number": f"SP{seed % 10000:04d}{number:07d}",
            "reference": f"PO-{10000 + number}", "customer": customer, "status": status,
            "sender_name": "Almacén Central", "sender_street": "Polígono Los Fresnos 4", "sender_postcode": "28830",
            "sender_city": "San Fernando", "sender_country": "ES", "sender_phone": "+34 910 000 000",
            "sender_vat": "ESB00000000", "sender_eori": "ESB00000000",
            "recipient_name": customer, "recipient_street": f"{street} {chance.randint(1, 120)}",
            "recipient_postcode": postcode, "recipient_city": city, "recipient_country": country,
            "incoterm": "DAP" if country in ("GB", "CH") else "",
            "parcels": json.dumps(_goods(chance, number)),
            "created": created.isoformat(timespec="seconds"),
            "promised": (created + timedelta(days=3)).isoformat(timespec="seconds"),
            "delivered": min(created + timedelta(hours=chance.randint(20, 90)), end).isoformat(timespec="seconds")
            if status == "delivered" else "",
        })  # fmt: skip
    return rows


def _goods(chance: random.Random, number: int) -> list[dict[str, Any]]:
    """One package with all that customs asks, or two to four with their sizes, of which the last one was not weighed."""
    several = number % SEVERAL == 0
    count = 2 + number // SEVERAL % 3 if several else 1
    parcels = []
    for place in range(1, count + 1):
        text, code, price, origin, packing = chance.choice(GOODS)
        pieces, weight = chance.randint(1, 40), f"{chance.randint(3, 300) / 10}"
        sizes = {"length_cm": 40 + 10 * place, "width_cm": 30, "height_cm": 20 + 5 * place} if several else {}
        parcels.append({
            "number": str(place), "weight_kg": None if several and place == count else weight, "description": text,
            "quantity": str(pieces), "hs_code": code, "value": f"{price * pieces}.00", "currency": "EUR", "origin": origin,
            "packaging": packing, "volume_m3": f"0.{chance.randint(5, 480):03d}", **sizes,
        })  # fmt: skip
    return parcels


def sample_shipments_csv(n: int, seed: int) -> str:
    """A CSV of `n` made-up deliveries for `import_shipments`."""
    rows = sample_rows(n, seed, datetime(2026, 11, 20, tzinfo=UTC))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["carrier", "tracking_number"])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@transaction.atomic
def _deliveries(log: Callable[[str], None]) -> None:
    for code, name, _protocol in CARRIERS:
        carrier, _new = Carrier.objects.get_or_create(code=code, defaults={"name": name, "sample": True})
        map_sample_codes(carrier)
    if Shipment.objects.filter(sample=True).exists():
        log("sample deliveries are kept as they are")
        return
    text = io.StringIO()
    rows = sample_rows(DELIVERIES, SEED, timezone.now().replace(microsecond=0))
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    import_shipments(bytes_of(text.getvalue()), name="sample.csv", source="system", sample=True)
    events, messages = _histories(list(Shipment.objects.filter(sample=True).select_related("carrier").order_by("pk")))
    TrackingEvent.objects.bulk_create(events, ignore_conflicts=True)
    CarrierMessage.objects.bulk_create(messages)
    derive([event.shipment_id for event in events])
    log(f"{DELIVERIES} sample deliveries, {len(events)} tracking events, {len(messages)} carrier messages")


def _histories(shipments: list[Shipment]) -> tuple[list[TrackingEvent], list[CarrierMessage]]:
    chance = random.Random(SEED)  # noqa: S311  # made-up data, nothing secret
    now = timezone.now()
    events, messages = [], []
    for place, shipment in enumerate(shipments):
        events += events_of(shipment, now, puzzling=place % 7 == 0)
        for _again in range(1 + (place % 20 == 0)):
            received = min(now, shipment.created + timedelta(hours=chance.randint(16, 90)))
            text = chance.choice(MESSAGES)
            messages.append(
                CarrierMessage(
                    carrier_id=shipment.carrier_id, shipment=shipment, text=text, received=received, sample=True
                )
            )
    return events, messages


@transaction.atomic
def refresh_standin_connections(log: Callable[[str], None]) -> None:
    """The stand-in has other ports and keys at every start. Only connections of sample carriers are touched."""
    standin = settings.CARRIER_STANDIN
    changed = 0
    for code, _name, protocol in CARRIERS:
        carrier = Carrier.objects.filter(code=code, sample=True).first()
        if carrier is None or not standin.get(protocol):
            continue
        values = {
            "protocol": protocol, "host": "127.0.0.1", "port": int(str(standin[protocol])),
            "username": str(standin.get("username", "")), "password": str(standin.get("password", "")),
            "directory": "/pod", "ca_pem": str(standin.get("ca_pem") or "") if protocol == "ftps" else "",
            "host_key": str(standin.get("host_key") or "") if protocol == "sftp" else "", "active": True,
        }  # fmt: skip
        CarrierConnection.objects.update_or_create(carrier=carrier, defaults=values)
        changed += 1
    log(f"{changed} connections lead to the carrier stand-in")


def _letterhead(log: Callable[[str], None]) -> None:
    values = {"name": "Iberfleet Logistics (sample)", "lines": "Polígono Los Fresnos 4\n28830 San Fernando\nEspaña"}
    made = not Letterhead.objects.exists() and Letterhead.objects.create(**values)
    log("a sample letterhead was made" if made else "the letterhead is kept as it is")


def _schedule(log: Callable[[str], None]) -> None:
    """Asleep, so that a demo does only what its people ask for."""
    values = {
        "capability": "fetch_documents", "every_minutes": 120, "active": False,
        "selection": {"query": {"status": "delivered", "missing": "proof_of_delivery", "sample": "true"}},
    }  # fmt: skip
    name = "Sample: fetch missing proofs of delivery"
    _row, made = BatchSchedule.objects.get_or_create(name=name, defaults=values)
    log("a sample schedule was made, paused" if made else "the sample schedule is kept as it is")


slots.setup_steps.register(
    slots.SetupStep("sample-deliveries", _deliveries, order=50, sample_only=True),
    slots.SetupStep("sample-notes", write_sample_notes, order=52, sample_only=True),
    slots.SetupStep("sample-letterhead", _letterhead, order=53, sample_only=True),
    slots.SetupStep("sample-schedule", _schedule, order=55, sample_only=True),
    slots.SetupStep("standin-connections", refresh_standin_connections, order=60),
)
