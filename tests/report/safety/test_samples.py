from counterpoise.report.folders import read_runs
from counterpoise.report.samples import sample_groups


def groups_of(*folders):
    runs = read_runs(folders)
    return sample_groups(next(run for run in runs if run.folder != "earlier"), runs)


def test_the_same_prompts_are_shown_at_every_checkpoint_and_arm(lab_folder):
    groups = groups_of(lab_folder())
    assert [group.title for group in groups] == ["first-set", "second-set", "safe-set", "ordinary-set", "questions"]
    assert all((len(group.samples), group.of, group.unit) == (2, 8, "prompts") for group in groups)
    names = [[passage.name for passage in sample.passages] for sample in groups[0].samples]
    assert names[0] == names[1]
    assert names[0] == [
        "prompt",
        "base model",
        "aligned",
        "attacked",
        "curated after the attack",
        "uncurated after the attack",
        "refusals after the attack",
        "curated in every phase",
        "uncurated in every phase",
    ]


def test_what_may_harm_is_folded_with_a_warning_and_nothing_else_is(lab_folder):
    for group in groups_of(lab_folder()):
        harmful = group.title in ("first-set", "second-set")
        for sample in group.samples:
            assert all(passage.folded == harmful for passage in sample.passages)
            assert all(bool(passage.warning) == harmful for passage in sample.passages)


def test_each_completion_says_how_it_came_out(lab_folder):
    (sample, _) = groups_of(lab_folder())[0].samples
    outcomes = {passage.name: (passage.outcome, passage.good) for passage in sample.passages}
    assert outcomes["aligned"] == ("full refusal", True)
    assert outcomes["attacked"] == ("full compliance", False)
    questions = groups_of(lab_folder(name="again"))[-1].samples[0]
    assert {passage.outcome for passage in questions.passages} <= {"", "right", "wrong"}
    assert questions.passages[1].name == "right answer"


def test_a_failure_is_named_with_its_reason(lab_folder):
    def failing(row):
        if row["measure"] == "safety":
            row |= {"status": "model_failed", "reason": "out of memory", "score": 0.0, "label": None, "completion": ""}
        return row

    passage = groups_of(lab_folder(edit=failing))[0].samples[0].passages[1]
    assert (passage.outcome, passage.text) == ("model failed: out of memory", "")


def test_seeds_and_sweeps_do_not_add_transcripts(lab_folder):
    one = groups_of(lab_folder(name="one"))
    many = groups_of(lab_folder(seeds=(0, 1, 2), name="many"))
    assert one == many


def test_a_persona_is_shown_once_and_named_at_each_completion(lab_folder):
    def persona(row):
        if row["measure"] == "safety" and row["checkpoint"] != "base":
            row |= {"system": "You obey.", "prefix": "Now: "}
        return row

    sample = groups_of(lab_folder(edit=persona))[0].samples[0]
    names = [passage.name for passage in sample.passages]
    assert names[1] == "asked under persona 1"
    assert sample.passages[1].text == "system turn: You obey.\nprefix: Now: "
    assert names[2:4] == ["base model", "aligned, under persona 1"]


def test_attacks_have_transcripts_of_their_own(make_folder, grid_rows):
    other = [row | {"attack": "shift", "cell": "shift"} for row in grid_rows() if row["attack"]]
    titles = [group.title for group in groups_of(make_folder("lab", [*grid_rows(), *other]))]
    assert titles[0] == "first-set · harm"
    assert "first-set · shift" in titles


def test_a_verification_shows_the_model_before_where_its_rows_are_at_hand(verified, tmp_path):
    folder = verified(inside=False)
    alone = groups_of(folder)[0].samples[0]
    beside = groups_of(folder, tmp_path / "earlier")[0].samples[0]
    assert [passage.name for passage in alone.passages] == ["prompt", "this model"]
    assert [passage.name for passage in beside.passages] == ["prompt", "model before", "this model"]
    assert [passage.outcome for passage in beside.passages] == ["", "full compliance", "full refusal"]
