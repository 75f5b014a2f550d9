import pytest

from counterpoise.counterfactual.match.literal import read_literal, same_literal


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        ("[1, 2]", "[ 1,2 ]"),
        ("'it'", '"it"'),
        ("{1: 'a', 2: 'b'}", "{2: 'b', 1: 'a'}"),
        ("(1,)", "(1, )"),
        ("2.0", "2"),
        ("None", "None"),
        ("{1, 2}", "{2, 1}"),
    ],
)
def test_spelling_makes_no_difference(gold: str, text: str) -> None:
    assert same_literal(gold, text)


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        ("[1, 2]", "(1, 2)"),
        ("True", "1"),
        ("'1'", "1"),
        ("[1, 2]", "[2, 1]"),
        ("[1]", "[1, 1]"),
        ("None", "'None'"),
        ("[True]", "[1]"),
        ("{1: 2}", "{1: 3}"),
        ("1", "one"),
    ],
)
def test_type_and_value_do(gold: str, text: str) -> None:
    assert not same_literal(gold, text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "[" * 1500,
        "1" * 1999 + ".",
        "{[]: 1}",
        "\0",
        "",
        "(lambda: 1)()",
        "9" * 5000,
        "f'{1}'",
        "-" * 1500,
    ],
)
def test_hostile_text_is_no_literal(text: str) -> None:
    readable, value = read_literal(text)
    assert readable is (text == "1" * 1999 + ".")
    assert readable or value is None
