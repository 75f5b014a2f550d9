import pytest

from counterpoise.counterfactual.expression import MAX_VALUE, ScmError, parse_expression


@pytest.mark.parametrize(
    ("source", "world", "value"),
    [
        ("1 + 2 * 3", {}, 7),
        ("-x // 2", {"x": 3}, -2),
        ("-x % 5", {"x": 3}, 2),
        ("x if x > y else y", {"x": 2, "y": 9}, 9),
        ("1 <= x < 4", {"x": 3}, 1),
        ("1 <= x < 4", {"x": 4}, 0),
        ("not x", {"x": 5}, 0),
        ("x and y", {"x": 5, "y": 7}, 1),
        ("x or y", {"x": 0, "y": 0}, 0),
        ("min(x, 3) + max(x, 3, 9) + abs(x)", {"x": -4}, 9),
        ("(x == 1) != (y == 1)", {"x": 1, "y": 1}, 0),
    ],
)
def test_values(source, world, value):
    assert parse_expression(source).evaluate(world) == value


def test_names_are_collected_but_functions_are_not_names():
    assert parse_expression("min(a, b) if c else 0").names == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x.__class__", "character '.' is not allowed"),
        ("x[0]", "character '[' is not allowed"),
        ("'a'", 'character "\'" is not allowed'),
        ("open(x)", "Call is not part of the mechanism language"),
        ("__import__(x)", "Call is not part of the mechanism language"),
        ("min(x)", "min of 1 arguments"),
        ("abs(x, y)", "abs of 2 arguments"),
        ("min(x, key=y)", "Call is not part of the mechanism language"),
        ("min(*x, y)", "Starred is not part of the mechanism language"),
        ("9 ** 9 ** 9", "BinOp is not part of the mechanism language"),
        ("x / 2", "BinOp is not part of the mechanism language"),
        ("x is y", "Compare is not part of the mechanism language"),
        ("True", "Constant is not part of the mechanism language"),
        ("lambda: 0", "character ':' is not allowed"),
        ("(x, y)", "Tuple is not part of the mechanism language"),
        ("x +", "not an expression"),
        ("", "not an expression"),
        (f"{MAX_VALUE}0", "a number is too large"),
        ("9" * 3990, "a number is too large"),
        ("(" * 1500 + "x" + ")" * 1500, "not an expression"),
        ("not " * 900 + "x", "more than 500 parts or 60 levels"),
        ("x + " * 100 + "x", "more than 500 parts or 60 levels"),
        ("x+" * 3000 + "x", "mechanism of 6001 characters"),
    ],
)
def test_hostile_expressions_are_refused(source, message):
    with pytest.raises(ScmError) as error:
        parse_expression(source)
    assert message in str(error.value)


def test_division_by_zero_and_growth_are_errors():
    with pytest.raises(ScmError, match="division by zero"):
        parse_expression("1 // x").evaluate({"x": 0})
    with pytest.raises(ScmError, match="division by zero"):
        parse_expression("1 % x").evaluate({"x": 0})
    with pytest.raises(ScmError, match="a value is too large"):
        parse_expression("x * x * x").evaluate({"x": 10**6})
