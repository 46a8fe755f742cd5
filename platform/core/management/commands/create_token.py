"""`manage.py create_token NAME --user LOGIN`: a key for a tool, printed once."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.tokens import issue_token


class Command(BaseCommand):
    help = "Issue an API token for a person's account; the key is printed once and kept nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="which tool will use it")
        parser.add_argument("--user", required=True, help="login whose role the tool gets")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no login named {options['user']}.")
        _, key = issue_token(user=user, name=options["name"], source="command")
        self.stdout.write(key)
