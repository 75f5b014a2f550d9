import pytest

from counterpoise.counterfactual.tools.units import Units


@pytest.fixture(scope="module")
def units():
    return Units()


@pytest.mark.parametrize(
    ("word", "unit"),
    [
        ("kg", "kilogram"),
        ("Kilometres", "kilometer"),
        ("feet", "foot"),
        ("hours", "hour"),
        ("h", "hour"),
        ("mins", "minute"),
        ("litres", "liter"),
        ("mph", "mile_per_hour"),
        ("pounds", "pound"),
        ("kWh", "kilowatt_hour"),
    ],
)
def test_words_for_units(units, word, unit):
    assert units.name(word) == unit


@pytest.mark.parametrize(
    "word",
    [
        *"in a as at A K cats hands bars points units chains dates men people apples decade bags slugs é x".split(),
        *("", "k" * 99, "ab2", "m**9", "1", "__import__"),
    ],
)
def test_words_that_are_more_likely_something_else(units, word):
    assert units.name(word) is None


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("12", "centimeter", "length; 0.12 meter"),
        ("1,000", "gram", "mass; 1 kilogram"),
        ("−3", "degree_Celsius", "temperature; 270.15 kelvin"),
        ("36", "kilometer / hour", "length / time; 10 meter / second"),
        ("5", "degree", "degree"),
        ("3/4", "hour", "hour"),
        ("3", "degree_Celsius / hour", "degree Celsius / hour"),
        ("9" * 400, "gram", "gram"),
    ],
)
def test_what_a_unit_measures(units, value, unit, said):
    assert units.described(value, unit) == said
