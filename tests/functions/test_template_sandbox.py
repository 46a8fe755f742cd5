"""Templates of administrators: what they may do, and that nothing gets out, in, or on for ever."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shipments.functions.render_pdf import bounds, documents, sandbox
from shipments.functions.render_pdf.sources import builtin_source, digest
from shipments.functions.runtime.errors import ItemError
from tests.functions.documents import full, made, manifest, pdf_of, texts


def template(html: str, css: str = "", **more: Any) -> dict[str, Any]:
    return {"html": html, "css": css, "sha256": digest(html, css), "version": 7} | more


def custom(html: str, css: str = "", document_type: str = "delivery_note", **more: Any) -> dict[str, Any]:
    return made(document_type, template=template(html, css), **more)


def error_of(html: str, css: str = "") -> dict[str, Any]:
    result = custom(html, css)
    assert not result["ok"], html
    error: dict[str, Any] = result["error"]
    return error


def test_a_template_says_what_the_shipment_says_and_is_remembered() -> None:
    page = (
        "<h1>{{ words.delivery_note }}</h1>"
        "{% for p in shipment.parcels %}<p>{{ loop.index }} {{ p.description }}</p>{% endfor %}"
        "{{ locale.address(shipment.recipient) | join(' / ') }} {{ barcode | safe }}"
    )
    result = custom(page, "h1 { color: red }", locale="es")
    (text,) = texts(pdf_of(result))
    assert "Albarán de entrega" in text and "2 Ceramic tiles" in text and "Calle 8 / 46014 Valencia / ESPAÑA" in text
    assert result["value"]["template_version"] == 7 and result["value"]["warnings"] == []
    assert made("delivery_note")["value"]["template_version"] == 0


def test_text_of_the_data_stays_text() -> None:
    data = full(notes="<script>{{ 7*7 }}</script>")
    (text,) = texts(
        pdf_of(custom("{{ shipment.notes }} {{ [shipment.notes] | join }} {{ 'a' ~ shipment.notes }}", data=data))
    )
    assert text.count("<script>{{ 7*7 }}</script>") == 3


@pytest.mark.slow
@pytest.mark.parametrize("document_type", ["cmr_waybill", "label", "commercial_invoice", "packing_list", "manifest"])
def test_the_built_in_pages_are_good_templates(document_type: str) -> None:
    """What an administrator begins with prints as it is, in the sandbox."""
    html, css = builtin_source(document_type)
    data = manifest(30) if document_type == "manifest" else full()
    ours = pdf_of(made(document_type, data=data))
    theirs = pdf_of(made(document_type, data=data, template=template(html, css)))
    assert [sorted(page.split()) for page in texts(theirs)] == [sorted(page.split()) for page in texts(ours)]


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("a\nb\n{% if %}", "line 3"),
        ("a\n{{ shipment.nothing }}", "line 2: UndefinedError: Shipment has no field 'nothing'"),
        ("{{ nothing }}", "line 1"),
        ("x\n\n{{ 1 / 0 }}", "line 3"),
        ("{{ shipment.parcels | map('upper') | join | nofilter }}", "No filter named 'nofilter'"),
        ("", "has HTML"),
        ("x" * 200_001, "200,000 characters"),
    ],
)
def test_mistakes_are_named_with_their_line(html: str, said: str) -> None:
    error = error_of(html)
    assert error["type"] == "BadTemplate" and said in error["message"] and not error["retryable"]


def test_css_that_means_nothing_is_said_with_its_place() -> None:
    value = custom("<p>x</p>", "p { colour: red; }\n.x { widht: 3mm; color: blue }")["value"]
    assert len(value["warnings"]) == 2 and "1:5" in value["warnings"][0] and "2:6" in value["warnings"][1]


def test_another_content_than_was_asked_for_is_refused() -> None:
    result = made("delivery_note", template=template("<p>a</p>") | {"html": "<p>b</p>"})
    assert result["error"]["type"] == "BadTemplate" and "digest" in result["error"]["message"]


ESCAPES = (
    "{{ ''.__class__ }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ ''['__class__'] }}", "{{ ''|attr('__class__') }}",
    "{{ shipment.__init__.__globals__ }}", "{{ shipment.__dict__ }}", "{{ shipment.__dataclass_fields__ }}", "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}", "{{ config }}", "{{ request }}", "{{ cycler.__init__.__globals__.os.system('id') }}",
    "{{ joiner }}", "{{ lipsum.__globals__ }}", "{{ dict.mro() }}", "{{ locale.number.__func__.__globals__ }}",
    "{{ locale.number.__self__ }}", "{{ '{0.__class__}'.format(shipment) }}", "{{ '%s' % shipment }}", "{{ '%c' % 65 }}",
    "{{ '{a}'.format_map(words) }}", "{% include 'delivery_note.html' %}", "{% import 'x' as y %}", "{% extends '_head.html' %}",
    "{% include '/etc/passwd' %}", "{% set shipment.carrier = 'x' %}", "{% do shipment.parcels.append(1) %}",
    "{{ shipment.parcels.append(1) }}", "{{ words.update({'title': 'x'}) }}", "{{ words.clear() }}", "{{ words.pop('title') }}",
    "{{ range.__self__ }}", "{{ namespace.__init__ }}", "{% set n = namespace() %}{{ n.__class__ }}", "{{ loop }}",
    "{% for a in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}", "{{ (shipment.parcels|first).__reduce__() }}",
    "{{ 'x'.encode('utf8') }}", "{{ shipment|pprint }}", "{{ shipment|tojson }}", "{{ [1]|map(attribute='__class__')|list }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}", "{{ debug }}", "{% debug %}", "{{ barcode.translate({}) }}",
)  # fmt: skip


@pytest.mark.parametrize("html", ESCAPES)
def test_no_way_out(html: str) -> None:
    result = custom(html)
    if result["ok"]:  # an undefined name prints nothing, at most
        assert not "".join(texts(pdf_of(result))).strip(), html
    else:
        assert result["error"]["type"] == "BadTemplate"


GROWTH = (
    "{% for a in range(10**9) %}x{% endfor %}", "{% for a in range(20001) %}x{% endfor %}", "{{ 'x' * 10**9 }}",
    "{{ [1] * 10**9 }}", "{{ 'x'.ljust(10**9) }}", "{{ 'x'.zfill(10**9) }}", "{{ 'x'|center(10**9) }}", "{{ 9**9**9 }}",
    "{{ '%1000000000d' % 1 }}", "{{ '{:>1000000000}'.format(1) }}", "{{ 'x'|indent(10**9) }}", "{{ lipsum(n=10**6) }}",
    "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set y %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = y %}{% endfor %}",
    "{% set n = namespace(x=['ab']) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x=['ab']) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = [n.x, n.x]|join %}{% endfor %}",
    "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x|replace('a', n.x) %}{% endfor %}",
    "{% set n = namespace(x=3) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "{% macro m(x) %}{{ x }}{{ x }}{% endmacro %}"
    "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = m(n.x) %}{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}xxxxxxxxxx{% endfor %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{% for a in [shipment] recursive %}{{ loop([shipment]) }}{% endfor %}",
    "{{ [[1],[2]]|sum(start=[]) }}", "(" * 5000, "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
)  # fmt: skip


@pytest.mark.parametrize("html", GROWTH)
def test_nothing_grows_without_end(html: str) -> None:
    started = time.monotonic()
    result = custom(html)
    assert time.monotonic() - started < 10
    assert html.startswith("(((") or result["error"]["type"] in {"BadTemplate", "TooLarge"}, result


@pytest.mark.slow
def test_what_only_takes_time_or_memory_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_SECONDS", 1.0)
    endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"
    grown = "{% set n = namespace(x=['ab']) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
    nested = grown + "{% set y = n.x|string %}"
    for html in (endless, nested):
        started = time.monotonic()
        assert error_of(html)["type"] == "TooLarge"
        assert time.monotonic() - started < 5
    assert custom("<p>fine again</p>")["ok"]


@pytest.mark.slow
def test_pages_are_bounded() -> None:
    error = error_of("{% for a in range(300) %}<p style='break-after: page'>x</p>{% endfor %}")
    assert error["type"] == "TooLarge" and "200" in error["message"]


@pytest.mark.parametrize(
    ("html", "css"),
    [
        ("<img src='http://127.0.0.1:9/x.png'>", ""),
        ("<img src='file:///etc/passwd'>", ""),
        ("<p>x</p>", "@import 'http://127.0.0.1:9/a.css';"),
        ("<p>x</p>", "p { background: url(file:///etc/hostname) }"),
        ("<p>x</p>", "@font-face { font-family: X; src: url(file:///etc/hostname) } p { font-family: X }"),
        ("<link rel=stylesheet href='https://example.org/a.css'>", ""),
        ("<link rel=attachment href='file:///etc/passwd'>", ""),
    ],
)
def test_no_network_and_no_files(html: str, css: str) -> None:
    assert error_of(html, css)["type"] == "ResourceRefused"


def test_a_warm_function_compiles_a_template_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    original = sandbox.compile_template

    def counted(*given: Any) -> Any:
        compiled.append(given)
        return original(*given)

    monkeypatch.setattr(documents, "compile_template", counted)
    for _ in range(3):
        custom("<p>only once</p>")
    assert len(compiled) == 1
    for number in range(documents.CACHED_TEMPLATES + 5):
        documents.custom_template(template(f"<p>{number}</p>"))
    assert len(documents._custom) == documents.CACHED_TEMPLATES


def test_outside_of_the_main_thread_a_template_is_refused() -> None:
    import threading

    errors: list[BaseException] = []

    def work() -> None:
        try:
            documents.render_document("delivery_note", full(), template=template("<p>x</p>"))
        except (RuntimeError, ItemError) as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(errors) == 1 and "main thread" in str(errors[0])
