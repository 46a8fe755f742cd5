"""The parts of the main job, each with its check."""

from __future__ import annotations

import csv
import io
import random
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

from embedded.carrier import stock
from embedded.demo.client import Client, DemoError

SHIPMENTS = 520
REPORTS_WITHIN_S = 15
MESSAGES = 520
# Carriers of the sample data, two on each protocol; their connections lead to the stand-in.
CARRIERS = {
    "sample-rapido-sur": "ftp", "sample-veloce": "ftp", "sample-colis-vert": "ftps", "sample-lusoenvios": "ftps",
    "sample-nordpaket": "sftp", "sample-wisla": "sftp",
}  # fmt: skip
_TOWNS = (
    ("Girona", "17001", "ES"),
    ("Lille", "59000", "FR"),
    ("Ulm", "89073", "DE"),
    ("Parma", "43121", "IT"),
    ("Braga", "4700", "PT"),
)
_TEXTS = (
    "Delivered to the recipient", "Recipient absent, second attempt tomorrow", "Held at customs, invoice missing",
    "Zustellung erfolgreich", "Annahme verweigert", "Colis en cours de livraison", "Entregado", "Dirección incorrecta",
    "Consegna prevista domani", "Encomenda em trânsito", "Parcel damaged in sorting centre", "Returned to sender",
)  # fmt: skip


def shipments_csv(count: int = SHIPMENTS) -> str:
    """Deliveries of the demo; always the same ones."""
    dice = random.Random(7)  # noqa: S311  # made-up data
    target = io.StringIO()
    fields = [
        "carrier", "tracking_number", "reference", "customer", "recipient_name", "recipient_street", "recipient_postcode",
        "recipient_city", "recipient_country", "weight_kg", "description", "created", "promised",
    ]  # fmt: skip
    writer = csv.DictWriter(target, fields)
    writer.writeheader()
    for number in range(count):
        town, postcode, country = dice.choice(_TOWNS)
        created = datetime(2026, 10, 1, 8, tzinfo=UTC) + timedelta(minutes=37 * number)
        carrier = list(CARRIERS)[number % len(CARRIERS)]
        writer.writerow(dict(zip(fields, (
            carrier, f"DEMO{number:06d}", f"ORD-{number:05d}", f"Customer {number % 40}", f"Recipient {number}",
            f"Main Street {1 + number % 90}", postcode, town, country, f"{dice.uniform(0.2, 28):.2f}", "goods",
            created.isoformat(), (created + timedelta(days=3)).isoformat(),
        ), strict=True)))  # fmt: skip
    return target.getvalue()


def messages_csv(count: int = MESSAGES) -> str:
    """Carrier messages of the demo's deliveries."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(["carrier", "carrier_code", "message", "tracking_number"])
    for number in range(count):
        text = f"{_TEXTS[number % len(_TEXTS)]} ({number})"
        writer.writerow([list(CARRIERS)[number % len(CARRIERS)], "", text, f"DEMO{number % SHIPMENTS:06d}"])
    return target.getvalue()


def run(client: Client, var: Path) -> dict[str, Any]:
    """The main job; raises DemoError when a part did not happen."""
    counts = client.post("shipments/import/", shipments_csv().encode())
    _expect(counts["refused"] == 0 and counts["created"] >= 500, f"import of deliveries: {counts}")
    again = client.post("shipments/import/", shipments_csv().encode())
    _expect(again["unchanged"] == counts["created"], f"a second import must change nothing: {again}")
    rows = [row for row in client.pages("shipments/", q="DEMO") if row["tracking_number"].startswith("DEMO")]
    _expect(len(rows) == SHIPMENTS, f"{len(rows)} of {SHIPMENTS} deliveries found by search")
    _seed_carrier(rows, var)
    keys = [str(row["id"]) for row in rows]
    batches = {
        "render_pdf": client.run("render_pdf", {"keys": keys}),
        "fetch_documents": client.run("fetch_documents", {"keys": keys}),
        "classify_messages": client.run("classify_messages", {"keys": _messages(client)}),
    }
    timed_out = client.wait(client.post("batches/", {"function": "platform-wait-probe", "payload": {"seconds": 60}}))
    facts = {"shipments_imported": counts["created"]}
    facts |= _rendered(client, batches["render_pdf"], set(keys))
    facts |= _fetched(client, batches["fetch_documents"], rows)
    facts |= {"messages_classified": batches["classify_messages"]["succeeded"]}
    _expect(facts["messages_classified"] >= 500, f"classified: {batches['classify_messages']}")
    facts |= _telemetry(client, [*batches.values(), timed_out])
    return facts


def _seed_carrier(rows: list[dict[str, Any]], var: Path) -> None:
    numbers: dict[str, list[str]] = {protocol: [] for protocol in stock.PROTOCOLS}
    for row in rows:
        numbers[CARRIERS[row["carrier"]]].append(row["tracking_number"])
    stock.seed(var / "carrier", numbers)


def _messages(client: Client) -> list[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
        file.write(messages_csv())
        file.flush()
        counts, _ = client.json_command("import_messages", file.name)
    _expect(counts["created"] == MESSAGES, f"import of messages: {counts}")
    return [str(row["id"]) for row in client.pages("messages/") if not row["status"] and row["text"].endswith(")")]


def _rendered(client: Client, batch: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    from pypdf import PdfReader  # slow to import, needed here only

    _expect(batch["succeeded"] == SHIPMENTS and batch["failed"] == 0, f"rendering: {batch}")
    notes = [row for row in client.pages("documents/", type="delivery_note") if str(row["shipment"]) in keys]
    valid = 0
    for row in notes:
        content = client.file(row["id"])
        pages = PdfReader(io.BytesIO(content)).pages
        valid += len(pages) >= 1 and "DEMO" in pages[0].extract_text().replace(" ", "")
    _expect(valid == len(notes) == SHIPMENTS, f"{valid} valid of {len(notes)} delivery notes, {SHIPMENTS} expected")
    return {"pdfs_rendered": len(notes), "pdfs_valid": valid}


def _fetched(client: Client, batch: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    carrier_of = {row["id"]: row["carrier"] for row in rows}
    pods = [row for row in client.pages("documents/", type="proof_of_delivery") if row["shipment"] in carrier_of]
    by_protocol = Counter(CARRIERS[carrier_of[row["shipment"]]] for row in pods if row["state"] == "stored")
    quarantined = sum(row["state"] == "quarantined" for row in pods)
    missing = [
        item
        for item in client.pages(f"batches/{batch['id']}/items/", state="failed")
        if item["error_type"] == "NotFound"
    ]
    _expect(all(by_protocol[protocol] for protocol in stock.PROTOCOLS), f"documents fetched: {dict(by_protocol)}")
    _expect(len(missing) == batch["failed"] > 0, f"missing documents: {len(missing)} of {batch['failed']} failed")
    _expect(
        quarantined == len(stock.PROTOCOLS), f"{quarantined} truncated documents in quarantine, one a protocol expected"
    )
    _expect(len(pods) + len(missing) == SHIPMENTS, f"{len(pods)} fetched + {len(missing)} missing, {SHIPMENTS} asked")
    return {
        "documents_fetched": dict(by_protocol),
        "documents_missing": len(missing),
        "documents_quarantined": quarantined,
    }


def _telemetry(client: Client, batches: list[dict[str, Any]]) -> dict[str, Any]:
    chunks = [chunk for batch in batches for chunk in client.pages(f"batches/{batch['id']}/chunks/")]
    made = {chunk["request_id"] for chunk in chunks if chunk["request_id"]}
    reports = _reports_of(client, made)
    _expect(made == set(reports), f"{len(made)} invocations, {len(reports)} with a REPORT")
    timeouts = sum(row["status"] == "timeout" for row in reports.values())
    _expect(timeouts == 1, f"{timeouts} time-outs counted, one expected")
    _expect(all(row["duration_ms"] > 0 for row in reports.values()), "an invocation without a duration")
    return {
        "invocations": len(made),
        "reports": len(reports),
        "timeouts": timeouts,
        "estimated_cost_usd": f"{_cost(client, list(reports.values())):f}",
    }


def _reports_of(client: Client, made: set[str]) -> dict[str, dict[str, Any]]:
    """The REPORTs of these invocations. Log tails are stored many at a time, a moment after the batch is done."""
    deadline = time.monotonic() + REPORTS_WITHIN_S
    while True:
        found = {row["request_id"]: row for row in client.pages("invocations/") if row["request_id"] in made}
        if made == set(found) or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def _cost(client: Client, reports: list[dict[str, Any]]) -> Decimal:
    """What the costs page says of today, checked against its parts: every invocation times its price, added up here."""
    today = datetime.now(UTC).date().isoformat()
    answer = client.get("costs/functions/", **{"range": "custom", "from": today, "to": today})
    total = Decimal(answer["total"]["usd"])
    functions = {row["id"]: row for row in client.pages("functions/")}
    region = next(iter(functions.values()))["region"]
    prices = {
        (row["meter"], row["architecture"]): Decimal(row["usd"]) for row in client.pages("prices/", region=region)
    }
    with localcontext(Context(prec=80)):
        by_function = sum((Decimal(row["usd"]) for row in answer["results"]), Decimal(0))
        parts = Decimal(0)
        for row in reports:
            gb_seconds = Decimal(row["billed_ms"] * row["memory_mb"]) / 1_024_000
            architecture = functions[row["function"]]["architecture"]
            parts += gb_seconds * prices["gb_second", architecture] + prices["request", ""]
    _expect(total == by_function == parts > 0, f"cost {total} is not the sum of its parts: {by_function}, {parts}")
    return total


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DemoError(otherwise[:1500])
