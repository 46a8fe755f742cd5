"""Real inputs: what carriers really wrote and sent, real function configurations, real log lines."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

from embedded.demo.client import Client, DemoError, write_refused

Facts = dict[str, dict[str, int]]
FTP_CARRIER = "sample-rapido-sur"


def run(client: Client, folder: Path, refused: Path) -> Facts:
    """Take in every topic the folder has; each input is counted as taken or refused, the refused ones in a file."""
    refused.unlink(missing_ok=True)
    facts: Facts = {}
    for topic, step in (
        ("carrier-messages", _messages), ("documents", _documents), ("lambda-functions", _functions), ("lambda-logs", _logs),
    ):  # fmt: skip
        if (folder / topic).is_dir():
            facts[topic] = step(client, folder / topic, refused)
            seen, taken, turned_away = (facts[topic][name] for name in ("seen", "taken", "refused"))
            if seen != taken + turned_away:
                raise DemoError(f"{topic}: {facts[topic]} does not add up")
    return facts


def _messages(client: Client, folder: Path, refused: Path) -> dict[str, int]:
    seen = taken = 0
    for path in sorted(folder.glob("messages*.csv")):
        counts, errors = client.json_command("import_messages", str(path))
        seen += counts["rows"]
        taken += counts["created"] + counts["known"]
        write_refused(refused, "carrier-messages", errors)
    keys = [str(row["id"]) for row in client.pages("messages/") if not row["status"]]
    if keys:
        batch = client.run("classify_messages", {"keys": keys})
        if batch["succeeded"] != batch["total"]:
            raise DemoError(f"classification of real messages: {batch}")
    return {"seen": seen, "taken": taken, "refused": seen - taken}


def _documents(client: Client, folder: Path, refused: Path) -> dict[str, int]:
    """The files lie on the stand-in already; here they are fetched as proofs of delivery of shipments named like them."""
    names = [path.stem for path in sorted((folder / "pdf").glob("*.pdf"))]
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["carrier", "tracking_number"])
    writer.writerows([FTP_CARRIER, _number(name)] for name in names)
    client.post("shipments/import/", rows.getvalue().encode())
    wanted = {_number(name) for name in names}
    shipments = {
        row["id"]: row["tracking_number"] for row in client.pages("shipments/") if row["tracking_number"] in wanted
    }
    batch = client.run("fetch_documents", {"keys": [str(key) for key in shipments]})
    found = [row for row in client.pages("documents/", type="proof_of_delivery") if row["shipment"] in shipments]
    stored = sum(row["state"] == "stored" for row in found)
    bad = [row for row in found if row["state"] != "stored"]
    lines = [json.dumps({"file": row["name"], "reason": f"quarantined: {row['problem']}"}) for row in bad]
    items = client.pages(f"batches/{batch['id']}/items/", state="failed")
    lines += [
        json.dumps({"file": item["label"], "reason": f"{item['error_type']}: {item['error_message']}"})
        for item in items
    ]
    write_refused(refused, "documents", lines)
    return {"seen": len(names), "taken": stored, "refused": len(lines)}


def _number(stem: str) -> str:
    return stem[:40]


def _functions(client: Client, folder: Path, refused: Path) -> dict[str, int]:
    counts, errors = client.json_command("publish_functions", str(folder / "fleet_real_config.json"))
    write_refused(refused, "lambda-functions", errors)
    client.command("sync_functions")
    names = {
        entry["function_name"] for entry in json.loads((folder / "fleet_real_config.json").read_text())["functions"]
    }
    synced = {row["name"] for row in client.pages("functions/")} & names
    if len(synced) != len(names) - counts["refused"]:
        raise DemoError(f"{len(synced)} of {len(names)} published functions came in by the sync")
    return {"seen": counts["seen"], "taken": counts["seen"] - counts["refused"], "refused": counts["refused"]}


def _logs(client: Client, folder: Path, refused: Path) -> dict[str, int]:
    seen = turned_away = 0
    for path in sorted(folder.glob("*.jsonl")):
        with tempfile.NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8") as file:
            for line in path.read_text(encoding="utf-8").splitlines():
                file.write(json.dumps({"message": json.loads(line)["line"]}) + "\n")
            file.flush()
            counts, errors = client.json_command("ingest_reports", file.name)
        seen += counts["events"]
        turned_away += counts["refused_events"]
        write_refused(refused, "lambda-logs", errors)
    return {"seen": seen, "taken": seen - turned_away, "refused": turned_away}
