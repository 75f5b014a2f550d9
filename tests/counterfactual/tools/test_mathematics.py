import pytest

from counterpoise.counterfactual.tools.mathematics import QuantityTool


@pytest.fixture(scope="module")
def quantities():
    return QuantityTool()


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("Take 3 kg of flour.", [("quantity", "3 kg", "mass; 3 kilogram")]),
        (
            "It is 12 cm or 1,200.5 metres.",
            [("quantity", "12 cm", "length; 0.12 meter"), ("quantity", "1,200.5 metres", "length; 1200.5 meter")],
        ),
        (
            "At 90 km/h, not 2 miles per hour.",
            [
                ("quantity", "90 km/h", "length / time; 25 meter / second"),
                ("quantity", "2 miles per hour", "length / time; 0.89408 meter / second"),
            ],
        ),
        (
            "At -5 degrees Celsius or 20 °F",
            [
                ("quantity", "-5 degrees Celsius", "temperature; 268.15 kelvin"),
                ("quantity", "20 °F", "temperature; 266.483 kelvin"),
            ],
        ),
        ("Turn 90 degrees", [("quantity", "90 degrees", "degree")]),
        (
            "A 3-minute walk and two hours",
            [("quantity", "3-minute", "time; 180 second"), ("quantity", "two hours", "time; 7200 second")],
        ),
        ("She has 5 apples.", [("count", "5 apples", "apples")]),
        ("She has 5 small red apples.", [("count", "5 small red apples", "small red apples")]),
        ("Seven men saw 12 sheep.", [("count", "Seven men", "7 men"), ("count", "12 sheep", "sheep")]),
        ("5 cats have 2 hands", [("count", "5 cats", "cats"), ("count", "2 hands", "hands")]),
        ("Twenty-one of a dozen eggs", [("number", "Twenty-one", "21"), ("count", "a dozen eggs", "12 eggs")]),
        ("5 million people", [("count", "5 million people", "people")]),
        ("two hundred and five", [("number", "two hundred and five", "205")]),
        ("One of them, no one, one door", [("count", "one door", "1 door")]),
        ("a two-door car", []),
        ("half of it, three-quarters", [("number", "half", "0.5"), ("number", "three-quarters", "3/4")]),
        ("It costs $0.75 or 75 cents.", [("money", "$0.75", "dollars"), ("money", "75 cents", "")]),
        ("€1,000 and £3 million", [("money", "€1,000", "euros"), ("money", "£3 million", "pounds")]),
        ("At 11:55 a.m. and 5 PM", [("time", "11:55 a.m.", "11:55"), ("time", "5 PM", "17:00")]),
        ("At 12:05 am, 17:30, 99:99", [("time", "12:05 am", "00:05"), ("time", "17:30", "")]),
        ("40% and 2.5 percent", [("percentage", "40%", ""), ("percentage", "2.5 percent", "")]),
        ("1/2, 2 3/4 and the 3rd", [("fraction", "1/2", ""), ("fraction", "2 3/4", ""), ("ordinal", "3rd", "")]),
        ("17 in base 8", [("numeral", "17", "base 8"), ("base", "base 8", "8")]),
        (
            "60 in octal or base sixteen",
            [("numeral", "60", "base 8"), ("base", "octal", "8"), ("base", "base sixteen", "16")],
        ),
        (
            "In base 16, A7F and B + C",
            [
                ("base", "base 16", "16"),
                ("numeral", "A7F", "a base above 15"),
                ("numeral", "B", "a base above 11"),
                ("numeral", "C", "a base above 12"),
            ],
        ),
        ("A7F in base 8, A dog", [("base", "base 8", "8")]),
        ("x2, u_1 and 3-1", [("number", "3", ""), ("number", "1", "")]),
        ("-2 and x - 2", [("number", "-2", ""), ("number", "2", "")]),
        ("No numbers here.", []),
    ],
)
def test_quantities(quantities, sentence, wanted):
    assert [(one.kind, one.text, one.detail) for one in quantities.run(sentence)] == wanted


def test_equations_with_their_symbols(quantities):
    found = quantities.run("routes = -2 * shifts + 4\nIn that run, shifts = 6.")
    assert [(one.kind, one.text, one.detail) for one in found] == [
        ("equation", "routes = -2 * shifts + 4", "left: routes; right: -2 * shifts + 4"),
        ("symbol", "routes", ""),
        ("symbol", "shifts", ""),
        ("number", "-2", ""),
        ("number", "4", ""),
        ("equation", "shifts = 6", "left: shifts; right: 6"),
        ("number", "6", ""),
    ]


@pytest.mark.parametrize("text", ["9" * 400 + " kg", "1e999 kg", "²kg", "٣ kg", "base ٣", "$٣", "0 km / 0 h", "1/0"])
def test_strange_numbers_do_no_harm(quantities, text, checked):
    checked(quantities.run(text))


def test_nothing_is_computed(quantities):
    found = quantities.run("9**9**9**9 = 2 ** 99999999 and 6 * 7")
    assert not any("42" in one.text + one.detail for one in found)
