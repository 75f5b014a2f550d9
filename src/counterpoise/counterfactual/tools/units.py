"""Units of measurement as pint knows them, and which of them a word of running text means."""

from functools import cache
from math import isfinite
from typing import Any

from counterpoise.counterfactual.tools.tool import installed_version
from counterpoise.errors import MissingExtraError

__all__ = ["Units"]

_PURPOSE = "finding quantities with their units"
_UNITS = frozenset(
    """gram metric_ton ton pound ounce stone carat meter inch foot yard mile nautical_mile furlong micron angstrom
    light_year second minute hour day week fortnight month year century millennium liter gallon quart pint cup
    fluid_ounce tablespoon teaspoon barrel bushel acre hectare joule calorie electron_volt watt_hour watt horsepower
    volt ampere ohm farad coulomb tesla hertz newton pascal atmosphere kelvin degree_Celsius degree_Fahrenheit
    mile_per_hour kilometer_per_hour knot mole candela lumen lux degree radian byte""".split()
)
"""Of all that pint knows, what a number in running text most likely means: it also knows a slug, a shake and a
centi-technical-atmosphere, which is how it would read "5 cats"."""
_SYMBOLS = frozenset(
    """kg g mg m cm mm km nm s ms h hr hrs min mins sec secs l L ml mL cl dl oz lb lbs ft yd yds mi mph kmh kph W kW MW
    kWh V mV mA Hz kHz MHz GHz J kJ N Pa kPa ha GB MB kB TB""".split()
)
_PLURAL_SYMBOLS = {"mins": "min", "secs": "sec", "yds": "yd", "hrs": "hr"}


class Units:
    """The units that pint ships with.

    Attributes:
        version: of pint.

    Raises:
        MissingExtraError: pint is not installed.
    """

    def __init__(self) -> None:
        self.version = installed_version("pint", purpose=_PURPOSE)
        self._registry = _registry()

    def name(self, word: str) -> str | None:
        """The unit that a word means, as pint names it; ``None`` for what is more likely another word."""
        if not (word.isascii() and word.isalpha() and len(word) <= 24):
            return None
        spelled_out = len(word) >= 3 and word not in _SYMBOLS
        if not spelled_out and word not in _SYMBOLS:
            return None
        sought = word.lower() if spelled_out else _PLURAL_SYMBOLS.get(word, word)
        for prefix, unit, _ in self._registry.parse_unit_name(sought):
            if unit in _UNITS and (not spelled_out or sought.startswith(prefix)):
                return f"{prefix}{unit}"
        return None

    def described(self, value: str, unit: str) -> str:
        """Dimension and value in base units, where the unit has them."""
        above, _, below = unit.partition(" / ")
        try:
            number = float(value.replace(",", "").replace("−", "-"))
            whole = self._registry.Unit(above) / self._registry.Unit(below) if below else self._registry.Unit(above)
            if whole.dimensionless:
                return unit.replace("_", " ")
            base = self._registry.Quantity(number, whole).to_base_units()
            if not isfinite(base.magnitude):
                return unit.replace("_", " ")
        # Offset units cannot be divided, and numbers can be too large.
        except (ArithmeticError, TypeError, ValueError):
            return unit.replace("_", " ")
        dimension = str(whole.dimensionality).replace("[", "").replace("]", "")
        return f"{dimension}; {base.magnitude:.6g} {base.units}"


@cache
def _registry() -> Any:
    """Read once per process."""
    try:
        import pint
    except ImportError:
        raise MissingExtraError("pint", extra="tools", purpose=_PURPOSE) from None
    return pint.UnitRegistry()
