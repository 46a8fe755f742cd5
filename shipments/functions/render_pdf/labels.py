"""Words and number forms of printed documents in the languages we deliver in."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

DEFAULT_LOCALE = "en"

_KEYS = (  # noqa: SIM905  # one text, in the order of the texts below
    "title sender recipient tracking_number carrier reference created promised parcels number description weight "
    "total notes received name_print date signature"
).split()
_WORDS = {
    "en": "Delivery note|Sender|Recipient|Tracking number|Carrier|Reference|Created|Promised delivery|Parcels|No.|"
    "Contents|Weight|Total|Notes|Received in good order and condition|Name in block letters|Date and time|Signature",
    "es": "Albarán de entrega|Remitente|Destinatario|Número de seguimiento|Transportista|Referencia|Creado|"
    "Entrega prevista|Bultos|N.º|Contenido|Peso|Total|Observaciones|Recibido en buen estado|Nombre en mayúsculas|"
    "Fecha y hora|Firma",
    "fr": "Bon de livraison|Expéditeur|Destinataire|Numéro de suivi|Transporteur|Référence|Créé le|Livraison prévue|"
    "Colis|N°|Contenu|Poids|Total|Remarques|Reçu en bon état|Nom en capitales|Date et heure|Signature",
    "de": "Lieferschein|Absender|Empfänger|Sendungsnummer|Frachtführer|Referenz|Erstellt|Zugesagte Lieferung|"
    "Packstücke|Nr.|Inhalt|Gewicht|Summe|Bemerkungen|In ordnungsgemäßem Zustand erhalten|Name in Druckbuchstaben|"
    "Datum und Uhrzeit|Unterschrift",
    "it": "Documento di trasporto|Mittente|Destinatario|Numero di tracciamento|Corriere|Riferimento|Creato|"
    "Consegna prevista|Colli|N.|Contenuto|Peso|Totale|Note|Ricevuto in buono stato|Nome in stampatello|Data e ora|"
    "Firma",
    "pt": "Guia de entrega|Remetente|Destinatário|Número de rastreio|Transportadora|Referência|Criado|Entrega prevista|"
    "Volumes|N.º|Conteúdo|Peso|Total|Observações|Recebido em bom estado|Nome em maiúsculas|Data e hora|Assinatura",
}
LABELS = {locale: dict(zip(_KEYS, words.split("|"), strict=True)) for locale, words in _WORDS.items()}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Locale:
    """The words and forms of one language; `code` goes into the document's lang attribute."""

    code: str
    words: dict[str, str]

    def number(self, value: Decimal, places: int) -> str:
        """1234.5 as "1,234.50" in English and with a decimal comma and narrow no-break spaces elsewhere."""
        text = f"{value:,.{places}f}"
        return text if self.code == "en" else text.replace(",", "\u202f").replace(".", ",")

    def day(self, value: str) -> str:
        """An ISO date or time as a date of this language; other text stays as it came, so that nothing is lost."""
        try:
            day = date.fromisoformat(value) if len(value) <= len("2026-11-23") else datetime.fromisoformat(value).date()
        except ValueError:
            return value
        if self.code == "en":
            return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
        return day.strftime("%d.%m.%Y" if self.code == "de" else "%d/%m/%Y")


def locale_for(code: object) -> Locale:
    """The language for "de", "de-AT" or "pt_BR"; English for one we do not print."""
    language = str(code or DEFAULT_LOCALE).replace("_", "-").split("-")[0].lower()
    language = language if language in LABELS else DEFAULT_LOCALE
    return Locale(language, LABELS[language])
