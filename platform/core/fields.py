"""Model fields: secrets encrypted at rest, and decimals that keep every digit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
    _DecimalField = models.DecimalField[Any, Any]
else:
    _DecimalField = models.DecimalField
    _TextField = models.TextField  # Django's fields take type parameters only for the type checker


def _cipher() -> Fernet:
    key = settings.FIELD_ENCRYPTION_KEY
    if not key:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEY is not set; carrier passwords cannot be stored or read.")
    try:
        return Fernet(key)
    except ValueError as error:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEY must be 32 url-safe base64 bytes.") from error


class EncryptedTextField(_TextField):
    """Text that is Fernet-encrypted in the database and plain in Python. Cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        plain = super().get_prep_value(value)
        return _cipher().encrypt(plain.encode()).decode() if plain else plain

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        if not value:
            return value
        try:
            return _cipher().decrypt(value.encode()).decode()
        except InvalidToken as error:
            raise ImproperlyConfigured(
                "A stored secret cannot be read with this FIELD_ENCRYPTION_KEY; "
                "restore the old key or enter the secret again."
            ) from error


class ExactDecimalField(_DecimalField):
    """PostgreSQL's NUMERIC without a precision: every digit is kept, nothing is rounded or padded.

    `max_digits` and `decimal_places` bound what forms accept, not what the column holds.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 200)
        kwargs.setdefault("decimal_places", 100)
        super().__init__(*args, **kwargs)

    def db_type(self, connection: object) -> str:
        return "numeric"
