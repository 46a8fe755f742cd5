"""Hold every function, or some, against the rules now."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from services_registry.guardrails.evaluate import evaluate
from services_registry.guardrails.rule import rules
from services_registry.models import Function


class Command(BaseCommand):
    help = "Open, update and close findings now; JSON on stdout. Repeating it changes nothing."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--function", action="append", help="only functions of this name; may be repeated")
        parser.add_argument("--rule", action="append", choices=sorted(rules()), help="only this rule; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        functions = None
        if names := options["function"]:
            functions = Function.objects.filter(name__in=names)
            if missing := sorted(set(names) - set(functions.values_list("name", flat=True))):
                raise CommandError(f"the registry knows no function {', '.join(missing)}")
        only = [rules()[slug] for slug in options["rule"]] if options["rule"] else None
        self.stdout.write(json.dumps(asdict(evaluate(functions, only=only))))
