"""Words, numbers, dates, money and addresses of printed documents in the languages we deliver in.

The words are in `words/<language>.txt`, one `key = text` a line; every language has the same keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipments.functions.render_pdf.shipment import Party

FOLDER = Path(__file__).parent / "words"
LANGUAGES = ("en", "es", "fr", "de", "it", "pt")
DEFAULT_LOCALE = "en"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_GROUPS = {
    "en": (",", "."),
    "es": (".", ","),
    "de": (".", ","),
    "it": (".", ","),
    "fr": ("\u202f", ","),
    "pt": ("\u202f", ","),
}
"""Marks between thousands and before decimals."""
_POSTCODE_BELOW = frozenset({"GB", "IE"})
_POSTCODE_AFTER = frozenset({"US", "CA", "AU", "JP", "CN"})
LANGUAGE_OF = {
    "ES": "es", "MX": "es", "FR": "fr", "LU": "fr", "MC": "fr", "DE": "de", "AT": "de", "LI": "de", "IT": "it", "SM": "it",
    "PT": "pt", "BR": "pt", "BE": "fr", "CH": "de",
}  # fmt: skip
"""What a document for the recipient is printed in; English everywhere else."""


def _pairs(name: str) -> dict[str, str]:
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    split = (line.partition(" = ") for line in lines if line.strip())
    return {key.strip(): text.strip() for key, _, text in split}


WORDS = {language: _pairs(language) for language in LANGUAGES}
COUNTRIES = {
    code: dict(zip(LANGUAGES, (name.strip() for name in names.split("|")), strict=True))
    for code, names in _pairs("countries").items()
}  # fmt: skip


@dataclass(frozen=True)
class Locale:
    """The words and forms of one language; `code` goes into the document's lang attribute."""

    code: str
    words: dict[str, str]

    def number(self, value: Decimal, places: int) -> str:
        """1234.5 as "1,234.50", "1.234,50" or "1 234,50" (narrow no-break space)."""
        thousands, decimals = _GROUPS[self.code]
        rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        return f"{rounded:,f}".replace(",", "\0").replace(".", decimals).replace("\0", thousands)

    def plain(self, value: Decimal) -> str:
        """As many decimals as the value has, at most three: 2, 2.5, 0.125."""
        places = min(3, max(0, -int(value.normalize().as_tuple().exponent)))
        return self.number(value, places)

    def money(self, value: Decimal, currency: str) -> str:
        """With the ISO code, where the language puts it: "EUR 1,234.50", "1.234,50 EUR"."""
        number = self.number(value, 2)
        return f"{currency}\u00a0{number}" if self.code == "en" else f"{number}\u00a0{currency}"

    def day(self, value: str) -> str:
        """An ISO date or time as a date of this language; other text stays as it came, so that nothing is lost."""
        try:
            day = date.fromisoformat(value) if len(value) <= len("2026-11-23") else datetime.fromisoformat(value).date()
        except ValueError:
            return value
        if self.code == "en":
            return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
        return day.strftime("%d.%m.%Y" if self.code == "de" else "%d/%m/%Y")

    def country(self, code: str) -> str:
        """The country's name in this language; the code itself for one we have no name of."""
        return COUNTRIES.get(code.upper(), {}).get(self.code, code)

    def town(self, party: Party) -> str:
        """Town and postcode on one line, in the order of the party's country."""
        after = party.country.upper() in _POSTCODE_AFTER | _POSTCODE_BELOW
        return " ".join(
            part for part in ((party.city, party.postcode) if after else (party.postcode, party.city)) if part
        )

    def address(self, party: Party) -> list[str]:
        """The lines below the name, as the party's country writes them; the country last, in capitals."""
        below = party.country.upper() in _POSTCODE_BELOW
        towns = [party.city, party.postcode] if below else [self.town(party)]
        lines = [*party.street.splitlines(), *towns, self.country(party.country).upper()]
        return [line for line in lines if line.strip()]

    def reason(self, name: str) -> str:
        """Why goods leave the country; a reason we have no word for as it was stated."""
        return self.words.get(f"reason_{name}", name)

    def piece(self, number: int, count: int) -> str:
        return self.words["piece"].format(n=number, m=count)


_locales = {language: Locale(language, WORDS[language]) for language in LANGUAGES}


def locale_for(code: object) -> Locale:
    """The language for "de", "de-AT" or "pt_BR"; English for one we do not print."""
    language = str(code or DEFAULT_LOCALE).replace("_", "-").split("-")[0].lower()
    return _locales.get(language, _locales[DEFAULT_LOCALE])
