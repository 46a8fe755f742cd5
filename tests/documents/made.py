"""Files that tests make themselves: good ones with a text, and every kind that belongs into quarantine."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject


def pdf(*pages: Sequence[str] | str) -> bytes:
    """A PDF whose pages show these lines; written out by hand, so that a thousand of them cost nothing."""
    shown = [[page] if isinstance(page, str) else list(page) for page in pages or ("",)]
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b""]
    kids = []
    for lines in shown:
        number = len(objects) + 1
        kids.append(b"%d 0 R" % number)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Contents %d 0 R"
            b"/Resources<</Font<</F <</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>>>>>>>"
            % (number + 1)
        )
        drawn = b"".join(b"(%s) Tj 0 -14 Td " % _escaped(line) for line in lines)
        content = b"BT /F 11 Tf 20 270 Td " + drawn + b"ET"
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
    objects[1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(kids), len(kids))
    return _assembled(objects)


def _escaped(line: str) -> bytes:
    return line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _assembled(objects: Sequence[bytes]) -> bytes:
    target, places = io.BytesIO(), []
    target.write(b"%PDF-1.4\n")
    for number, body in enumerate(objects, 1):
        places.append(target.tell())
        target.write(b"%d 0 obj %s endobj\n" % (number, body))
    start = target.tell()
    target.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    target.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    target.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return target.getvalue()


def _written(writer: PdfWriter) -> bytes:
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def _blank() -> PdfWriter:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    return writer


def encrypted() -> bytes:
    writer = _blank()
    writer.encrypt("a password")
    return _written(writer)


def protected_against_printing_only() -> bytes:
    """Encrypted with an owner's password: everybody can read it."""
    writer = _blank()
    writer.encrypt("", "owner")
    return _written(writer)


def _action(kind: str, **more: str) -> DictionaryObject:
    values = {NameObject(f"/{name}"): TextStringObject(text) for name, text in more.items()}
    return DictionaryObject({NameObject("/S"): NameObject(f"/{kind}"), **values})


def with_script_on_opening() -> bytes:
    writer = _blank()
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(_action("JavaScript", JS="app.alert(1)"))
    return _written(writer)


def with_script_spelled_in_hexadecimal() -> bytes:
    """`/Java#53cript` is the same name, and nowhere in the file's bytes."""
    writer = _blank()
    note = DictionaryObject({
        NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Link"),
        NameObject("/A"): _action("JavaScript", JS="app.alert(1)"),
    })  # fmt: skip
    writer.pages[0][NameObject("/Annots")] = ArrayObject([writer._add_object(note)])
    plain = _written(writer)
    return plain.replace(b"/JavaScript", b"/Java#53cript").replace(b"/JS", b"/J#53")


def that_starts_a_program() -> bytes:
    writer = _blank()
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(_action("Launch", F="calc.exe"))
    return _written(writer)


def with_a_file_inside() -> bytes:
    writer = _blank()
    writer.add_attachment("invoice.xml", b"<x/>")
    return _written(writer)


def archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr("a.txt", "a")
    return target.getvalue()


def picture(kind: str = "PNG", *, frames: int = 1, size: tuple[int, int] = (320, 200)) -> bytes:
    target = io.BytesIO()
    first, *others = [Image.new("RGB", size, (20 * number, 90, 160)) for number in range(1, frames + 1)]
    extra = {"save_all": True, "append_images": others} if others else {}
    first.save(target, kind, **extra)
    return target.getvalue()


HTML = b"<!DOCTYPE html><html><script>alert(1)</script>" + b" " * 2000
PROGRAM = b"MZ\x90\x00" + b"\0" * 2000
