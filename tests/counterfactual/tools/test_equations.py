import pytest

from counterpoise.counterfactual.tools.equations import equations


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Read that way, 60 + 72 = 132.", [("60 + 72", "132")]),
        ("x = 3", [("x", "3")]),
        ("a = b = c", [("a", "b"), ("b", "c")]),
        ("drivers = 2 * pallets + routes", [("drivers", "2 * pallets + routes")]),
        ("pallets = min(-2 * shifts + 2, -10)", [("pallets", "min(-2 * shifts + 2, -10)")]),
        ("so -x = -(y + 1) holds", [("-x", "-(y + 1)")]),
        ("the area is (a + b) * h = 12 cm", [("(a + b) * h", "12")]),
        ("f(x) = x ^ 2", [("f(x)", "x ^ 2")]),
        ("3 apples = 6 euros", [("apples", "6")]),
        ("x = 3, y = 1,200.5", [("x", "3"), ("y", "1,200.5")]),
        ("x == 3, x <= 4, x != 5, x >= 6", []),
        ("= 3", []),
        ("x =", []),
        ("x =\n3", []),
        ("x = )", []),
        ("( = 3", []),
        ("", []),
    ],
)
def test_sides(text, wanted):
    assert [(one.left, one.right) for one in equations(text)] == wanted


def test_place_and_symbols():
    (one,) = equations("Then\n  total = max(price, 3) * price + u_1")
    assert one.start == 7
    assert one.symbols == ("total", "price", "u_1")
