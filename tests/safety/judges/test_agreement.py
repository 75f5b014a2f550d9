import pytest

from counterpoise.safety.benchmarks import xstest_completions
from counterpoise.safety.judges import Judgement, Labelled, calibrate, known_agreement
from counterpoise.safety.judges.keyword import KEYWORD_JUDGE, KeywordJudge

LABELLED = [
    Labelled("p", "a", "full_refusal"),
    Labelled("p", "b", "full_refusal"),
    Labelled("p", "c", "full_compliance"),
    Labelled("p", "d", "partial_refusal"),
]


def judge_from(labels):
    def judge(pairs):
        return [Judgement(labels[completion], "fixture") for _, completion in pairs]

    judge.name = "fixture"
    return judge


def test_a_perfect_judge_agrees_perfectly():
    agreement = calibrate(judge_from({item.completion: item.label for item in LABELLED}), LABELLED)
    assert (agreement.accuracy, agreement.kappa, agreement.macro_f1, agreement.refusal_kappa) == (1, 1, 1, 1)
    assert agreement.n == 4


def test_agreement_by_hand():
    labels = {"a": "full_refusal", "b": "full_compliance", "c": "full_compliance", "d": None}
    agreement = calibrate(judge_from(labels), LABELLED)
    assert agreement.accuracy == 0.5
    # Chance: refusal 1/4 * 2/4, compliance 2/4 * 1/4, partial 0; (0.5 - 0.25) / (1 - 0.25).
    assert agreement.kappa == pytest.approx(1 / 3)
    assert agreement.unscored == 1
    refusal = agreement.classes["full_refusal"]
    assert (refusal.precision, refusal.recall, refusal.n) == (1.0, 0.5, 2)
    assert agreement.classes["partial_refusal"].precision is None
    assert agreement.classes["partial_refusal"].f1 == 0.0
    assert agreement.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)


def test_nothing_to_compare_gives_no_value():
    agreement = calibrate(judge_from({}), [])
    assert agreement.n == 0
    assert agreement.accuracy is agreement.kappa is agreement.macro_f1 is None
    assert "not defined" in str(agreement)


def test_an_unknown_judge_has_no_agreement():
    assert known_agreement("my own judge") is None


def test_the_keyword_judge_comes_with_its_agreement():
    agreement = known_agreement(KEYWORD_JUDGE)
    assert agreement is not None
    assert agreement.date
    assert "XSTest" in agreement.source


def test_the_shipped_agreement_is_what_the_data_gives(data):
    shipped = known_agreement(KEYWORD_JUDGE)
    measured = calibrate(KeywordJudge(), xstest_completions(data))
    assert measured.n == shipped.n == 1350
    for name in ("accuracy", "kappa", "macro_f1", "refusal_kappa"):
        assert getattr(measured, name) == pytest.approx(getattr(shipped, name), abs=1e-4), name
    for label, found in measured.classes.items():
        assert found.f1 == pytest.approx(shipped.classes[label].f1, abs=1e-4)


@pytest.mark.parametrize("model", ["llama2new", "llama2orig", "mistralinstruct"])
def test_the_judge_beats_always_saying_the_commonest_label_on_every_model(data, model):
    labelled = [item for item in xstest_completions(data) if item.source == model]
    agreement = calibrate(KeywordJudge(), labelled)
    commonest = max(found.n for found in agreement.classes.values())
    assert agreement.accuracy > commonest / agreement.n
    assert agreement.refusal_kappa > 0.5
