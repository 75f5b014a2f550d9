"""Agreement with people: against numbers worked out by hand, and of the matchers that ship."""

import json
from importlib import resources
from pathlib import Path

import pytest

from counterpoise.cli import main
from counterpoise.counterfactual.match import DEFAULT, open_matcher
from counterpoise.counterfactual.match.calibrate import Fitted, calibrate, labellers_agreement
from counterpoise.counterfactual.match.labelled import LabelledPair, read_pairs, shipped_pairs
from counterpoise.counterfactual.match.registry import MATCHERS
from counterpoise.errors import DataError


class Fixed:
    """Gives the scores it was told."""

    name, threshold = "fixed", 0.5

    def __init__(self, *scores):
        self.scores = list(scores)

    def match(self, pairs):
        return self.scores


def labelled(*labels, families=None, **more):
    return [
        LabelledPair(
            id=str(i), kind="name", gold=f"gold {i}", text="x", label=label, family=(families or [""] * 99)[i], **more
        )
        for i, label in enumerate(labels)
    ]


def test_a_calibration_worked_out_by_hand():
    """2 x 2 table: tp 2, fn 1, fp 1, tn 4. Observed 6/8; expected (3*3 + 5*5)/64 = 34/64; kappa (48-34)/(64-34)."""
    pairs = labelled(*["same"] * 3, *["different"] * 5, families=["a", "a", "b", "a", "b", "b", "b", "b"])
    (found,) = calibrate(pairs, [Fixed(0.9, 0.55, 0.2, 0.6, 0.1, 0.1, 0.48, 0.0)])
    assert found.kappa == pytest.approx(14 / 30, abs=1e-4)
    assert (found.precision, found.recall, found.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3), abs=1e-4)
    assert (found.name, found.pairs, found.threshold, found.unscored) == ("fixed", 8, 0.5, 0)
    # At 0.60 the 0.55 is lost: tp 1, fn 2, fp 1, tn 4: observed 5/8, expected (2*3 + 6*5)/64.
    assert found.sensitivity["+0.10"] == pytest.approx((40 - 36) / (64 - 36), abs=1e-4)
    # At 0.45 the 0.48 comes in: tp 2, fn 1, fp 2, tn 3: observed 5/8, expected (4*3 + 4*5)/64.
    assert found.sensitivity["-0.05"] == pytest.approx((40 - 32) / (64 - 32), abs=1e-4)
    assert found.sensitivity["+0.00"] == found.kappa
    # At 0.9 only one is "same", and rightly: observed 6/8, expected (1*3 + 7*5)/64.
    assert (found.best_threshold, found.best_kappa) == (0.2, pytest.approx((48 - 32) / (64 - 32), abs=1e-4)) or (
        found.best_kappa >= found.kappa
    )
    assert found.families["a"].pairs == 3
    assert found.families["a"].right == pytest.approx(2 / 3, abs=1e-4)
    assert found.families["b"].right == pytest.approx(4 / 5, abs=1e-4)
    assert found.kinds["name"].kappa == found.kappa
    assert found.intervals["kappa"].low <= found.kappa <= found.intervals["kappa"].high
    assert found.labellers is None
    assert not found.held_out


def test_what_has_no_score_agrees_with_no_label():
    """One of four is unscored: observed 3/4, expected (2*2 + 1*2)/16."""
    (found,) = calibrate(labelled("same", "same", "different", "different"), [Fixed(1.0, 1.0, 0.0, None)])
    assert found.unscored == 1
    assert found.kappa == pytest.approx((12 - 6) / (16 - 6), abs=1e-4)
    assert found.precision == 1.0
    (lost,) = calibrate(labelled("same", "same", "different", "different"), [Fixed(1.0, None, 0.0, 0.0)])
    assert lost.recall == 0.5


def test_perfect_and_undefined_agreement():
    (perfect,) = calibrate(labelled("same", "different"), [Fixed(1.0, 0.0)])
    assert perfect.kappa == perfect.f1 == 1.0
    (undefined,) = calibrate(labelled("different", "different"), [Fixed(0.0, 0.0)])
    assert undefined.kappa is None
    assert undefined.f1 is None
    assert undefined.families["other"].right == 1.0
    with pytest.raises(ValueError, match="at least one labelled pair"):
        calibrate([], [Fixed()])


def test_a_fitted_matcher_is_decided_out_of_fold():
    class Split(Fixed):
        def held_out(self, pairs):
            return [(score, 0.9) for score in self.scores]

    assert isinstance(Split(), Fitted)
    pairs = labelled("same", "different")
    assert calibrate(pairs, [Split(0.8, 0.6)])[0].recall == 0.0
    assert calibrate(pairs, [Split(0.8, 0.6)])[0].held_out
    assert calibrate(pairs, [Split(0.8, 0.6)], held_out=False)[0].recall == 1.0


def test_agreement_of_the_labellers_worked_out_by_hand():
    pairs = [
        LabelledPair(id=str(i), kind="name", gold=f"gold {i}", text="x", label=a, label_a=a, label_b=b)
        for i, (a, b) in enumerate([("same", "same")] * 4 + [("same", "different")] + [("different", "different")] * 5)
    ]
    found = labellers_agreement(pairs)
    # Observed 9/10, expected (5*4 + 5*6)/100.
    assert found.kappa.value == pytest.approx((90 - 50) / (100 - 50), abs=1e-4)
    assert (found.pairs, found.differing) == (10, 1)


def test_equal_seeds_give_equal_intervals():
    pairs = labelled(*["same", "different"] * 10)
    scores = Fixed(*[0.9, 0.1, 0.2, 0.8] * 5)
    assert calibrate(pairs, [scores], seed=3) == calibrate(pairs, [scores], seed=3)
    assert calibrate(pairs, [scores], seed=3)[0].intervals != calibrate(pairs, [scores], seed=4)[0].intervals


def test_the_shipped_pairs_are_complete():
    pairs = shipped_pairs()
    assert len(pairs) >= 400
    assert len({pair.id for pair in pairs}) == len(pairs)
    assert len({(pair.kind, pair.about, pair.gold, pair.text) for pair in pairs}) == len(pairs)
    for pair in pairs:
        assert pair.label_a
        assert pair.label_b
        assert pair.label == pair.label_a or pair.label_a != pair.label_b
        assert (pair.kind == "value") == bool(pair.about)
        assert pair.family
    assert 0.4 < sum(pair.label == "same" for pair in pairs) / len(pairs) < 0.6
    assert labellers_agreement(pairs).kappa.value > 0.9


def test_the_default_agrees_best_offline_and_well_enough():
    found = {one.name: one for one in calibrate(shipped_pairs(), [open_matcher(name) for name in MATCHERS])}
    best = max(found.values(), key=lambda one: one.kappa)
    assert best.name == DEFAULT
    assert best.kappa >= 0.8
    assert best.held_out
    assert best.unscored == 0
    assert min(best.sensitivity.values()) > 0.75
    assert found["embedding-raw"].kappa < 0.3


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_json_of_the_command_has_the_promised_shape(capsys):
    code, out, _ = run(capsys, "matchers", "calibrate", "--json")
    assert code == 0
    found = json.loads(out)
    assert [one["name"] for one in found] == list(MATCHERS)
    for one in found:
        assert one.keys() >= {"name", "kappa", "f1", "pairs", "threshold", "sensitivity", "families", "labellers"}
        assert one["pairs"] == len(shipped_pairs())
        assert 0 <= one["threshold"] <= 1
        assert one["labellers"]["pairs"] == one["pairs"]
    code, out, _ = run(capsys, "matchers", "list", "--json")
    assert [one["name"] for one in json.loads(out)] == [*MATCHERS, "nli", "judge"]
    assert [one["name"] for one in json.loads(out) if one["default"]] == [DEFAULT]


def test_the_tables_of_the_command(capsys, tmp_path):
    file = tmp_path / "pairs.jsonl"
    lines = [
        {"id": str(i), "kind": "value", "gold": f"{i} apples", "text": f"{i} apples", "label": "same"} for i in range(8)
    ]
    lines.append({"id": "9", "kind": "value", "gold": "open", "text": "shut", "label": "different"})
    file.write_text("\n".join(json.dumps(line) for line in lines))
    code, out, _ = run(capsys, "matchers", "calibrate", "--pairs", file)
    assert code == 0
    assert "9 pairs" in out
    assert "meaning" in out
    assert "labellings" not in out
    code, out, _ = run(capsys, "matchers", "list")
    assert code == 0
    assert "default" in out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read labelled pairs"),
        ("", "no labelled pairs"),
        ("{", "not a labelled pair"),
        ('{"id": "1", "kind": "value", "gold": "a", "text": "b", "label": "maybe"}', "label: Input should be"),
        ('{"id": "1", "kind": "value", "gold": "a", "text": "b", "label": "same"}\n' * 2, "id '1' occurs twice"),
    ],
)
def test_a_bad_file_of_pairs_gets_one_line(tmp_path, capsys, content, message):
    file = tmp_path / "pairs.jsonl"
    if content is not None:
        file.write_text(content)
    with pytest.raises(DataError):
        read_pairs(file)
    code, out, err = run(capsys, "matchers", "calibrate", "--pairs", file)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_matchers_that_need_a_model_say_so(capsys):
    code, _, err = run(capsys, "matchers", "calibrate", "--nli", "nowhere")
    assert code == 2
    assert "no inference model 'nowhere'" in err
    code, _, err = run(capsys, "matchers", "calibrate", "--model", "nothing")
    assert code == 2
    assert "unknown model 'nothing'" in err


def test_the_documented_table_is_what_is_measured():
    page = Path(__file__).parents[3] / "docs" / "matchers.md"
    text = page.read_text(encoding="utf-8")
    for one in calibrate(shipped_pairs(), [open_matcher(name) for name in MATCHERS]):
        low, high = one.intervals["kappa"].low, one.intervals["kappa"].high
        star = "\\*" if one.held_out else ""
        assert f"| {one.name}{star} | {one.kappa:.2f} [{low:.2f}, {high:.2f}] |" in text
    pairs_page = (resources.files("counterpoise.counterfactual.match") / "PAIRS.md").read_text(encoding="utf-8")
    labellers = labellers_agreement(shipped_pairs())
    stated = f"{labellers.kappa.value:.3f} [{labellers.kappa.low:.3f}, {labellers.kappa.high:.3f}]"
    assert stated in pairs_page
    assert stated in text
    assert f"{len(shipped_pairs())} pairs" in pairs_page
    for pair in shipped_pairs():
        if pair.label_a != pair.label_b:
            assert (
                f"| {pair.id} | {pair.gold} / {pair.text} | {pair.label_a}, {pair.label_b} | {pair.label} |"
                in pairs_page
            )
