"""Code 128 and GS1-128 as one inline SVG path.

Symbology: ISO/IEC 15417. Each symbol is six widths of bar, space, bar, ... adding up to 11 modules; the stop symbol has
seven adding up to 13. The check symbol is (start + sum of position x value) mod 103. Pairs of digits go into code set C
(two digits a symbol), everything else into code set B (printable ASCII). GS1-128 begins with FNC1 after the start.
"""

from itertools import groupby

WIDTHS = (  # noqa: SIM905  # one text is far easier to compare with the standard's table
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
).split()
TO_C, TO_B, FNC1, START_B, START_C, STOP = 99, 100, 102, 104, 105, 106
QUIET_MODULES = 10
"""Blank modules a scanner needs on either side (ISO/IEC 15417)."""
LONGEST = 40
"""Characters; more would be printed too fine for a hand scanner on one A4 line."""
BEST_MODULE_MM, WIDEST_MM, HEIGHT_MM = 0.33, 100.0, 14.0
THERMAL_DOT_MM = 0.125
"""Label printers have 8 dots a millimetre: bars of whole dots come out sharp."""
SSCC_DIGITS = 18


def symbols(text: str, *, gs1: bool = False) -> list[int]:
    """The symbols of `text` from start to stop, check symbol included; raises ValueError if it cannot be coded."""
    if not text or len(text) > LONGEST:
        raise ValueError(f"a barcode holds 1 to {LONGEST} characters, not {len(text)}")
    if not all(" " <= char <= "~" for char in text):
        raise ValueError("a barcode holds printable ASCII characters only")
    values = _data(text)
    if gs1:
        values.insert(1, FNC1)
    return [*values, check_symbol(values), STOP]


def check_symbol(values: list[int]) -> int:
    """The check symbol over `values`, the first of which is the start symbol."""
    return (values[0] + sum(position * value for position, value in enumerate(values[1:], 1))) % 103


def _data(text: str) -> list[int]:
    """Start symbol and data, changing to pairs of digits where that makes the code no longer."""
    values: list[int] = []
    code_set = ""
    runs = [(digits, "".join(chars)) for digits, chars in groupby(text, key=lambda char: char in "0123456789")]
    for number, (digits, run) in enumerate(runs):
        at_edge = number in (0, len(runs) - 1)
        if digits and (len(run) >= (4 if at_edge else 6) or (len(runs) == 1 and len(run) == 2)):
            odd = run[:1] if len(run) % 2 else ""
            code_set = _change(values, code_set, "B") if odd else code_set
            values += [ord(char) - 32 for char in odd]
            code_set = _change(values, code_set, "C")
            pairs = run[len(odd) :]
            values += [int(pairs[at : at + 2]) for at in range(0, len(pairs), 2)]
        else:
            code_set = _change(values, code_set, "B")
            values += [ord(char) - 32 for char in run]
    return values


def _change(values: list[int], now: str, wanted: str) -> str:
    """Add the symbol that starts or changes to code set `wanted`, if one is needed."""
    if not now:
        values.append(START_B if wanted == "B" else START_C)
    elif now != wanted:
        values.append(TO_B if wanted == "B" else TO_C)
    return wanted


def gs1_check_digit(digits: str) -> int:
    """Modulo 10 with weights 3 and 1 from the right (GS1 General Specifications, 7.9)."""
    return -sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits))) % 10


def sscc_of(text: str) -> str:
    """The 18 digits when `text` is a serial shipping container code, with or without its identifier 00; else nothing."""
    digits = text.removeprefix("(00)") if text.startswith("(") else text[2:] if len(text) == SSCC_DIGITS + 2 else text
    if len(digits) != SSCC_DIGITS or not (digits.isascii() and digits.isdigit()):
        return ""
    if digits != text and not text.startswith(("00", "(00)")):
        return ""
    return digits if gs1_check_digit(digits[:-1]) == int(digits[-1]) else ""


def svg(text: str) -> str:
    """`text` as an SVG element in millimetres: 14 mm high, modules 0.33 mm or as fine as 100 mm of width demand.

    The quiet zone on the right reaches into the page margin, so that the bars end where the text below them ends.
    """
    modules, bars = _bars(symbols(text))
    width_mm = min(modules * BEST_MODULE_MM, WIDEST_MM)
    margin = f"margin-right:-{width_mm * QUIET_MODULES / modules:.2f}mm"
    return _element(width_mm, HEIGHT_MM, margin, modules, bars)


def label_bars(text: str, widest_mm: float) -> tuple[float, list[tuple[int, int]]]:
    """For a thermal printer: GS1-128 with identifier 00 for an SSCC, else Code 128.

    (millimetres of a module, [(first module, modules) of each bar]); a module is whole printer dots if it can be.
    """
    sscc = sscc_of(text)
    modules, bars = _bars(symbols(f"00{sscc}", gs1=True) if sscc else symbols(text))
    dots = min(4, int(widest_mm / modules / THERMAL_DOT_MM))
    return (dots * THERMAL_DOT_MM if dots >= 2 else widest_mm / modules), bars


def label_svg(text: str, widest_mm: float, height_mm: float) -> str:
    """`label_bars` as an SVG element."""
    module_mm, bars = label_bars(text, widest_mm)
    modules = bars[-1][0] + bars[-1][1] + QUIET_MODULES
    return _element(module_mm * modules, height_mm, "", modules, bars)


def _bars(values: list[int]) -> tuple[int, list[tuple[int, int]]]:
    """(modules with both quiet zones, (place, width) of each bar in modules)."""
    bars, at = [], QUIET_MODULES
    for value in values:
        for number, width in enumerate(map(int, WIDTHS[value])):
            if number % 2 == 0:
                bars.append((at, width))
            at += width
    return at + QUIET_MODULES, bars


def _element(width_mm: float, height_mm: float, style: str, modules: int, bars: list[tuple[int, int]]) -> str:
    path = "".join(f"M{at} 0h{width}v1h-{width}z" for at, width in bars)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_mm:.2f}mm" height="{height_mm:g}mm"'
        f' style="{style}" viewBox="0 0 {modules} 1" preserveAspectRatio="none"><path d="{path}"/></svg>'
    )
