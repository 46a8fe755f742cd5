"""`manage.py plan_batch CAPABILITY --query JSON | --keys a,b`: what starting a batch would mean. Nothing is started."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import RefusedError
from core.formats import bytes_text, duration_ms_text
from core.money import format_money
from services_registry.batches.plan import Plan, plan_batch


class Command(BaseCommand):
    help = "Show the plan of a batch: chunks, bytes, duration, cost, concurrency and warnings. Nothing is started."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("capability", metavar="CAPABILITY", help="for example render_pdf")
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--query", metavar="JSON", help='the filters of the list, like {"status": "in_transit"}')
        chosen.add_argument("--keys", metavar="A,B", help="the items' keys, separated by commas")
        parser.add_argument("--options", metavar="JSON", default="{}", help='like {"type": "label", "language": "de"}')
        parser.add_argument("--chunk-size", type=int, metavar="N", help="lower the planned chunk size")
        parser.add_argument("--concurrency", type=int, metavar="N", help="invocations at once")
        parser.add_argument("--json", action="store_true", help="the plan as the API answers it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            plan = plan_batch(
                options["capability"],
                _selection(options["query"], options["keys"]),
                context=_object("--options", options["options"]),
                chunk_size=options["chunk_size"],
                concurrency=options["concurrency"],
            )
        except RefusedError as error:
            raise CommandError(error.message) from error
        self.stdout.write(json.dumps(plan.as_json(), ensure_ascii=False) if options["json"] else as_text(plan))


def _selection(query: str | None, keys: str | None) -> dict[str, Any]:
    if query is None:
        return {"keys": [key.strip() for key in (keys or "").split(",") if key.strip()]}
    return {"query": _object("--query", query)}


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CommandError(f"{name} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CommandError(f'{name} must be a JSON object, like {{"status": "in_transit"}}.')
    return value


def as_text(plan: Plan) -> str:
    """The plan for a person, one fact a line, then what to mind."""
    facts = [
        ("Items", f"{plan.items:,} {plan.noun}"),
        ("Chunks", f"{plan.chunks:,} of at most {plan.chunk_size:,} ({plan.size.reason})"),
        ("At once", f"{plan.at_once:,}; free in AWS: {_or_unknown(plan.capacity.free)}"),
        ("Function", plan.target.function_name),
        ("To send", f"≈ {bytes_text(plan.request_bytes)}, ≈ {bytes_text(plan.chunk_bytes)} per chunk"),
        ("Hand-off", f"{plan.size.handoff_label}: {plan.size.handoff_reason}"),
        ("Time-out", duration_ms_text(None if plan.timeout_s is None else plan.timeout_s * 1000)),
        ("Chunk", f"p50 {_seconds(plan.chunk_seconds)}, p95 {_seconds(plan.chunk_seconds_p95)}"),
        ("Takes", _takes(plan)),
        ("Cost", _money(plan.spending.predicted.usd, plan.spending.predicted.eur)),
        (
            "At worst",
            f"{_money(plan.spending.worst.usd, plan.spending.worst.eur)} ({plan.spending.invocations:,} invocations time out)",
        ),
        ("Worst async", _money(plan.spending.worst_async.usd, plan.spending.worst_async.eur)),
    ]
    lines = [f"{name + ':':13}{text}" for name, text in facts]
    lines += [f"{caution.severity.label}: {caution.text}" for caution in plan.warnings]
    return "\n".join(lines)


def _takes(plan: Plan) -> str:
    if not plan.history.known:
        return str(plan.history)
    return "nothing can begin now" if plan.seconds is None else f"{_seconds(plan.seconds)} (from {plan.history})"


def _or_unknown(value: int | None) -> str:
    return "not known" if value is None else f"{value:,}"


def _seconds(value: float | None) -> str:
    return "not known yet" if value is None else f"≈ {duration_ms_text(value * 1000)}"


def _money(usd: Any, eur: Any) -> str:
    return (
        "not known yet"
        if usd is None
        else f"{format_money(usd, estimate=True)} · {format_money(eur, 'EUR', estimate=True)}"
    )
