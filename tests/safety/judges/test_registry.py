import pytest

from counterpoise.errors import UnknownNameError, UsageError
from counterpoise.safety.judges import known_agreement, open_judge
from counterpoise.safety.judges.registry import EMBEDDED_JUDGES, JUDGES


@pytest.mark.parametrize("name", EMBEDDED_JUDGES)
def test_an_embedded_judge_opens_by_name_and_has_its_version(name):
    judge = open_judge(name)
    assert judge.name == JUDGES[name].version
    assert judge([]) == []


@pytest.mark.parametrize("name", EMBEDDED_JUDGES)
@pytest.mark.parametrize("tokens", [None, 32])
def test_an_embedded_judge_comes_with_its_agreement(name, tokens):
    agreement = known_agreement(JUDGES[name].version, tokens)
    assert agreement is not None
    assert agreement.n == 1350
    assert agreement.date
    assert agreement.tokens == tokens
    low, high = agreement.intervals["macro_f1"]
    assert low < agreement.macro_f1 < high


def test_every_judge_of_the_hub_and_every_rubric_can_be_named():
    assert {"qwen3guard", "harmbench", "strongreject", "wildguard", "llama-guard", "rubric", "helpfulness"} <= set(
        JUDGES
    )
    assert all(entry.summary and "\n" not in entry.summary for entry in JUDGES.values())


def test_an_unknown_judge_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match="did you mean 'classifier'"):
        open_judge("classifer")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("keyword=x", "takes nothing after its name"),
        ("rubric", "needs a model"),
        ("helpfulness=", "ends with '='"),
        ("wildguard=", "ends with '='"),
    ],
)
def test_a_name_with_too_much_or_too_little_is_refused_in_one_line(name, message):
    with pytest.raises(UsageError, match=message) as found:
        open_judge(name)
    assert "\n" not in str(found.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no model folder"):
        open_judge(f"harmbench={tmp_path / 'missing'}")
