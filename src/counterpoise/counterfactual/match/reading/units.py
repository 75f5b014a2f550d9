"""Units of measurement: what they measure and how many base units they are, by definition."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache

__all__ = ["CURRENCIES", "read_unit"]

_UNITS: Mapping[str, Mapping[str, str]] = {
    "length": {
        "1/1000": "mm millimetre millimeter",
        "1/100": "cm centimetre centimeter",
        "1": "m metre meter",
        "1000": "km kilometre kilometer",
        "127/5000": "inch inche",
        "381/1250": "ft foot feet",
        "1143/1250": "yard yd",
        "201168/125": "mile",
    },
    "mass": {
        "1/1000000": "mg milligram",
        "1/1000": "g gram gramme",
        "1": "kg kilogram kilo kilogramme",
        "1000": "tonne",
    },
    "volume": {"1/1000": "ml millilitre milliliter", "1/100": "cl centilitre", "1": "l litre liter"},
    "time": {
        "1/1000": "ms millisecond",
        "1": "sec",
        "60": "min minute",
        "3600": "h hr hour",
        "86400": "day",
        "604800": "week",
        "1209600": "fortnight",
    },
    "months": {"1": "month", "12": "year yr", "120": "decade", "1200": "century centurie"},
    "celsius": {"1": "celsius"},
    "fahrenheit": {"1": "fahrenheit"},
    "kelvin": {"1": "kelvin"},
    "degree": {"1": "degree"},
    "dollar": {"1": "dollar usd buck", "1/100": "cent"},
    "euro": {"1": "euro eur"},
    "pound": {"1": "pound gbp quid", "1/100": "penny pence"},
    "speed": {"1": "kph kmh", "25146/15625": "mph"},
    "data": {"1": "byte", "1000": "kb kilobyte", "1000000": "mb megabyte", "1000000000": "gb gigabyte"},
    "times": {"1": "time"},
}
CURRENCIES = {"$": "dollar", "€": "euro", "£": "pound"}
"""Signs that stand before their number."""


@cache
def _units() -> dict[str, tuple[str, Fraction]]:
    table = {}
    for dimension, factors in _UNITS.items():
        for factor, names in factors.items():
            for name in names.split():
                table[name] = (dimension, Fraction(factor))
                if len(name) > 2 or name in ("hr", "yr"):
                    table[name + "s"] = (dimension, Fraction(factor))
    return table


def read_unit(tokens: Sequence[str], position: int) -> tuple[int, str, Fraction] | None:
    """Where the unit at a position ends, what it measures, and its size in base units; ``None`` where there is none."""
    here = tokens[position]
    if here == "°" or here in ("degree", "degrees"):
        scale = tokens[position + 1] if position + 1 < len(tokens) else ""
        if scale in ("c", "celsius", "centigrade"):
            return position + 2, "celsius", Fraction(1)
        if scale in ("f", "fahrenheit"):
            return position + 2, "fahrenheit", Fraction(1)
        return position + 1, "degree", Fraction(1)
    if here in ("second", "seconds", "s"):
        return position + 1, "time", Fraction(1)
    found = _units().get(here)
    if found is None:
        return None
    dimension, factor = found
    after = list(tokens[position + 1 : position + 3])
    if dimension == "length" and after in (["per", "hour"], ["an", "hour"], ["/", "h"]):
        return position + 3, "speed", factor / 1000
    if dimension == "length" and after in (["per", "second"], ["/", "s"]):
        return position + 3, "speed", factor * 3600 / 1000
    if dimension in ("time", "months") and after[:1] == ["old"]:
        return position + 2, dimension, factor
    return position + 1, dimension, factor
