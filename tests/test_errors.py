import inspect

import pytest

from counterpoise import errors


def test_every_error_is_public_and_in_the_drawn_tree():
    classes = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.CounterpoiseError)
    ]
    assert sorted(classes) == sorted(errors.__all__)
    for name in classes:
        assert name in errors.__doc__


@pytest.mark.parametrize("name", errors.__all__)
def test_usage_errors_exit_with_2_and_the_rest_with_1(name):
    cls = getattr(errors, name)
    assert cls.exit_code == (2 if issubclass(cls, errors.UsageError) else 1)


def test_message_is_one_line_whatever_the_parts_hold():
    error = errors.DataError("bad\nvalue", where="a\r\nb", expected="x\ty", fix="do\n\nthis")
    assert str(error) == "bad value (a b); expected x y; do this"


def test_unknown_name_without_a_near_one_has_no_suggestion():
    assert str(errors.UnknownNameError("stage", "zzz", ["graph"])) == "unknown stage 'zzz'; expected one of graph"
