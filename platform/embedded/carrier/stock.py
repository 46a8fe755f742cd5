"""What the carrier has on its servers: proofs of delivery, some missing, some late, one cut off."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from embedded.carrier.pdf import one_page_pdf

PROTOCOLS = ("ftp", "ftps", "sftp")
FOLDER = "pod"
MISSING_PER_MILLE = 60
LATE_PER_MILLE = 30
LATE_S = 60.0
_PLAN = "late.json"


def _dice(number: str) -> int:
    """0 to 999, the same for the same tracking number."""
    return int(hashlib.sha256(number.encode()).hexdigest()[:8], 16) % 1000


def seed(data: Path, numbers: dict[str, list[str]], late_s: float = LATE_S) -> dict[str, dict[str, object]]:
    """Put a proof of delivery on the servers for each tracking number; says what is missing, late and truncated."""
    answer: dict[str, dict[str, object]] = {}
    plan: list[dict[str, object]] = []
    for protocol in PROTOCOLS:
        folder = data / protocol / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        facts = _sorted_out(numbers.get(protocol, []))
        for number in facts["present"]:
            content = pod_of(number)
            _write(
                folder / f"{number}.pdf", content[: len(content) * 2 // 3] if number in facts["truncated"] else content
            )
        due = time.time() + late_s
        plan += [{"due": due, "path": str(folder / f"{n}.pdf"), "number": n} for n in facts["late"]]
        answer[protocol] = {**facts, "present": len(facts["present"])}
    known = json.loads((data / _PLAN).read_text()) if (data / _PLAN).exists() else []
    paths = {entry["path"] for entry in known}
    _write(data / _PLAN, json.dumps(known + [entry for entry in plan if entry["path"] not in paths]).encode())
    return answer


def seed_wanted(data: Path) -> bool:
    """Stock what the site asked for in `wanted.json`, once for each list; True when there was something new."""
    wanted, done = data / "wanted.json", data / "wanted.done"
    if not wanted.exists():
        return False
    text = wanted.read_bytes()
    if done.exists() and done.read_bytes() == text:
        return False
    try:
        numbers = json.loads(text)
    except ValueError:
        return False  # still being written
    seed(data, numbers)
    _write(done, text)
    return True


def deliver_late_files(data: Path) -> int:
    """Make the files whose time has come; returns how many."""
    path = data / _PLAN
    if not path.exists():
        return 0
    made = 0
    for entry in json.loads(path.read_text()):
        target = Path(entry["path"])
        if entry["due"] <= time.time() and not target.exists():
            _write(target, pod_of(entry["number"]))
            made += 1
    return made


def pod_of(number: str) -> bytes:
    """The proof of delivery of one shipment."""
    day = 1 + _dice(number) % 28
    return one_page_pdf(
        ["PROOF OF DELIVERY", "", f"Tracking number: {number}",
         f"Delivered: 2026-10-{day:02d} 14:{_dice(number) % 60:02d}",
         "Received by: front desk", "Signature on file", "", "Sample document of the carrier stand-in"]
    )  # fmt: skip


def _sorted_out(numbers: list[str]) -> dict[str, list[str]]:
    missing = [n for n in numbers if _dice(n) < MISSING_PER_MILLE]
    late = [n for n in numbers if MISSING_PER_MILLE <= _dice(n) < MISSING_PER_MILLE + LATE_PER_MILLE]
    present = [n for n in numbers if _dice(n) >= MISSING_PER_MILLE + LATE_PER_MILLE]
    return {"present": present, "missing": missing, "late": late, "truncated": present[-1:]}


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)
