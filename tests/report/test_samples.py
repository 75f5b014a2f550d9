from counterpoise.report.folders import read_runs
from counterpoise.report.samples import sample_groups


def groups_of(folder):
    return sample_groups(read_runs([folder])[0])


def test_a_stage_shows_different_outcomes_before_more_of_the_same(make_folder, diagnosis_row):
    rows = [diagnosis_row(case_id=f"c{i}", cluster=f"c{i}") for i in range(30)]
    rows += [
        diagnosis_row(case_id="wrong", score=0.0),
        diagnosis_row(case_id="failed", score=0.0, status="parse_failed"),
    ]
    (group,) = groups_of(make_folder("diagnose", rows))
    assert group.of == 32
    assert len(group.samples) == 4
    assert {"wrong", "failed"} <= {sample.title.split(" · ")[1] for sample in group.samples}


def test_structured_answers_are_shown_one_item_a_line(make_folder, diagnosis_row):
    row = diagnosis_row(answer=[["a", "b"], ["c", "d"]], target={"x": "1", "y": None})
    (group,) = groups_of(make_folder("diagnose", [row]))
    texts = {passage.name: passage.text for passage in group.samples[0].passages}
    assert texts["parsed answer"] == '["a", "b"]\n["c", "d"]'
    assert texts["gold"] == 'x: "1"\ny: null'


def test_a_sample_names_its_mode_and_elicitation_and_folds_merged_samples(make_folder, diagnosis_row):
    rows = [
        diagnosis_row(mode="chained", elicit="cot-sc", k=2, samples=["one", "two"]),
        diagnosis_row(mode="substitution", upto="graph"),
    ]
    chained, substitution = groups_of(make_folder("diagnose", rows))
    assert chained.title == "Stage: answer, chained mode"
    assert chained.samples[0].setting == "chained · cot-sc, k = 2"
    assert [(p.name, p.text, p.folded) for p in chained.samples[0].passages][3:] == [
        ("sample 1 of 2", "one", True),
        ("sample 2 of 2", "two", True),
    ]
    assert chained.samples[0].passages[0].name == "merged answer"
    assert substitution.samples[0].setting == "substitution, gold up to graph · direct"


def test_different_outcomes_come_before_different_elicitations(make_folder, diagnosis_row):
    ways = ("direct", "few-shot", "cot", "cot-sc", "tot")
    rows = [diagnosis_row(case_id=f"c{i}", elicit=way) for way in ways for i in range(5)]
    rows.append(diagnosis_row(case_id="wrong", score=0.0))
    (group,) = groups_of(make_folder("diagnose", rows))
    assert "wrong" in {sample.title.split(" · ")[1] for sample in group.samples}
    assert len({sample.setting for sample in group.samples}) == 4
