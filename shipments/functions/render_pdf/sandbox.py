"""Templates that administrators write: Jinja without files, code, network or unbounded work.

Three fences. The language: only listed filters, tests, globals and methods exist, nothing with an underscore. Growth: every
operation that makes text, lists or numbers larger is bounded. Time and memory: `bounds.limited` ends what is left.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.nodes import Concat
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from weasyprint import CSS

from shipments.functions.render_pdf.sources import LONGEST_SOURCE, digest
from shipments.functions.runtime.errors import ItemError

LONGEST_TEXT = 2_000_000
LONGEST_LIST = 20_000
LARGEST_BITS = 512
FILE = "template.html"
_NO_FIELD = re.compile(r"'(?:[\w.]+\.)?(\w+) object' has no attribute")
FILTERS = frozenset({
    "abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "groupby", "int", "items",
    "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "round", "safe", "select",
    "selectattr", "sort", "string", "striptags", "title", "trim", "truncate", "unique", "upper", "wordcount",
})  # fmt: skip
TESTS = frozenset({
    "defined", "undefined", "none", "string", "number", "mapping", "iterable", "sequence", "odd", "even", "divisibleby",
    "eq", "equalto", "==", "ne", "!=", "lt", "lessthan", "<", "le", "<=", "gt", "greaterthan", ">", "ge", ">=", "in", "true",
    "false", "boolean", "integer", "float", "lower", "upper", "sameas",
})  # fmt: skip
METHODS = frozenset({
    "upper", "lower", "title", "capitalize", "strip", "lstrip", "rstrip", "startswith", "endswith", "split", "splitlines",
    "isdigit", "items", "keys", "values", "get", "index", "count", "find",
})  # fmt: skip
"""Of text, lists, tuples and dictionaries: none of them makes its value much larger."""


class TooMuchError(TemplateError):
    """A template asks for more than documents need."""


class _Generator(CodeGenerator):
    """Lets the environment join the parts of `a ~ b`, where it can be bounded."""

    def visit_Concat(self, node: Concat, frame: Frame) -> None:
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


def bounded_concat(parts: Iterable[str]) -> str:
    """What Jinja joins pieces of output with: blocks, macros and `set` blocks included."""
    kept, size = [], 0
    for part in parts:
        size += len(part)
        if size > LONGEST_TEXT:
            raise TooMuchError(f"the template makes more than {LONGEST_TEXT:,} characters")
        kept.append(part)
    return "".join(kept)


def _join(values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    """Text that is not marked safe is escaped, as everywhere."""
    mark = Markup.escape(separator)
    kept: list[str] = []
    for value in _bounded(values):
        kept += [mark, Markup.escape(_printed(value if attribute is None else getattr(value, attribute, "")))]
    return Markup(bounded_concat(kept[1:]))  # noqa: S704  # every part was escaped


def _sum(values: Iterable[Any], attribute: str | None = None, start: Any = 0) -> Any:
    """Of numbers only."""
    total = start
    for value in _bounded(values):
        number = value if attribute is None else getattr(value, attribute, None)
        if isinstance(number, str | list | tuple):
            raise TooMuchError("sum adds numbers only")
        total += number or 0
    return total


def _replace(text: Any, old: str, new: Any) -> str:
    """The text with every `old` replaced, escaped anew."""
    plain, new = str(text), str(new)
    if not old or len(plain) + plain.count(old) * len(new) > LONGEST_TEXT:
        raise TooMuchError("replace would make too much text")
    return plain.replace(old, new)


def _bounded(values: Iterable[Any]) -> Iterable[Any]:
    for number, value in enumerate(values):
        if number >= LONGEST_LIST:
            raise TooMuchError(f"a list has more than {LONGEST_LIST:,} entries")
        yield value


def _printed(value: Any) -> Any:
    """What `{{ }}` prints. Lists in lists would unfold into endless text."""
    if isinstance(value, list | tuple | dict):
        raise TooMuchError("a list cannot be printed as it is: use a loop, or join")
    return value


def _range(*numbers: int) -> range:
    made = range(*numbers)
    if len(made) > LONGEST_LIST:
        raise TooMuchError(f"range() of more than {LONGEST_LIST:,} steps")
    return made


class SandboxedTemplates(ImmutableSandboxedEnvironment):
    """No loader: `include`, `import` and `extends` find nothing."""

    code_generator_class = _Generator
    concat = staticmethod(bounded_concat)
    intercepted_binops = frozenset({"+", "*", "**", "%", "-", "/", "//"})

    def __init__(self) -> None:
        super().__init__(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, cache_size=0,
            finalize=_printed,
        )  # fmt: skip
        self.filters = {name: code for name, code in self.filters.items() if name in FILTERS}
        self.filters |= {"join": _join, "sum": _sum, "replace": _replace}
        self.tests = {name: code for name, code in self.tests.items() if name in TESTS}
        self.globals = {"range": _range, "namespace": self.globals["namespace"], "loop_limit": LONGEST_LIST}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str | bytes | list | tuple | dict | int | float):
            return attr in METHODS
        return super().is_safe_attribute(obj, attr, value) and not attr.startswith("_")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Bounded before it is done: a text times a billion is never made."""
        sizes = [len(side) for side in (left, right) if isinstance(side, str | list | tuple)]
        if sizes and operator != "+":
            raise TooMuchError(f"{operator} is for numbers")
        if sum(sizes) > LONGEST_TEXT:
            raise TooMuchError("+ would make too much text")
        bits = sum(side.bit_length() for side in (left, right) if isinstance(side, int))
        if operator == "**" or bits > LARGEST_BITS:
            raise TooMuchError(f"{operator} would make too large a number")
        return super().call_binop(context, operator, left, right)

    def joined(self, parts: tuple[Any, ...]) -> str:
        return Markup(bounded_concat([Markup.escape(_printed(part)) for part in parts]))  # noqa: S704  # every part was escaped


_environment = SandboxedTemplates()


@dataclass(frozen=True)
class CustomTemplate:
    """A template of an administrator, compiled. `version` is what the document will remember."""

    template: Template
    style: CSS
    version: int
    warnings: list[str] = field(default_factory=list)


def compile_template(fields: Mapping[str, Any], read_css: Callable[[str], tuple[CSS, list[str]]]) -> CustomTemplate:
    """{html, css, sha256, version} as a template; raises ItemError("BadTemplate") with the line."""
    html, css = str(fields.get("html") or ""), str(fields.get("css") or "")
    if not html.strip() or len(html) + len(css) > LONGEST_SOURCE:
        raise ItemError("BadTemplate", f"a template has HTML, and at most {LONGEST_SOURCE:,} characters with its CSS")
    if fields.get("sha256") != digest(html, css):
        raise ItemError("BadTemplate", "the template is not the one that was asked for: its digest differs", True)
    try:
        code = _environment.compile(html, FILE, FILE)
        template = Template.from_code(_environment, code, _environment.make_globals(None))
    except TemplateSyntaxError as error:
        raise ItemError("BadTemplate", f"line {error.lineno}: {error.message}") from error
    except (RecursionError, SyntaxError, MemoryError) as error:
        raise ItemError("BadTemplate", f"it nests too deeply: {type(error).__name__}") from error
    style, warnings = read_css(css)
    return CustomTemplate(template, style, int(fields.get("version") or 0), warnings)


def run_template(custom: CustomTemplate, variables: Mapping[str, Any]) -> str:
    """The HTML it makes; raises ItemError("BadTemplate") with the line where it went wrong."""
    try:
        return bounded_concat(custom.template.generate(variables))
    except SecurityError as error:
        raise ItemError("BadTemplate", f"{_line(error)}not allowed in templates: {error}") from error
    except Exception as error:  # whatever a template does wrong is the template's error
        raise ItemError("BadTemplate", f"{_line(error)}{type(error).__name__}: {_plain(error)}") from error


def _plain(error: Exception) -> str:
    """Without the names of our modules: a shipment has no field, not an object of a package."""
    return _NO_FIELD.sub(r"\1 has no field", str(error))


def _line(error: BaseException) -> str:
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == FILE]
    return f"line {lines[-1]}: " if lines else ""
