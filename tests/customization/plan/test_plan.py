import json
import re
from importlib import resources
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from counterpoise.customization.attack import Kind
from counterpoise.customization.data.material import read_material
from counterpoise.customization.plan import Curated, Plan, load_plan
from counterpoise.customization.plan.arm import ARMS
from counterpoise.customization.plan.grid import cells
from counterpoise.customization.plan.phases import PHASES, Step, steps
from counterpoise.errors import ConfigError
from counterpoise.safety.measures import MEASURE_SETS

EXAMPLES = Path(__file__).parents[3] / "examples"


def write(tmp_path, text):
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_plans_are_valid(path, curated):
    plan = load_plan(path, curated=curated)
    assert plan.name == path.stem
    assert plan.curated.max == curated
    assert len(cells(plan)) > 1
    assert len({cell.name for cell in cells(plan)}) == len(cells(plan))


def test_the_embedded_plan_is_the_whole_experiment_at_one_seed(curated):
    plan = load_plan(EXAMPLES / "embedded.yaml", curated=curated)
    grid = cells(plan)
    assert {(cell.phase, cell.arm) for cell in grid} == {
        ("none", "nothing"),
        *product(("before", "during", "after", "every"), ("curated", "uncurated", "refusals")),
    }
    assert len(grid) == 13
    assert (len(plan.attacks), plan.seeds) == (1, (0,))


def test_the_full_plan_has_everything(curated):
    plan = load_plan(EXAMPLES / "full.yaml", curated=curated)
    assert len(plan.seeds) >= 3
    assert {attack.kind for attack in plan.attacks} == set(get_args(Kind))
    assert set(plan.defend.arms) == set(ARMS)
    assert set(plan.defend.phases) == set(PHASES)
    assert {cell.dose for cell in cells(plan)} == {0, 0.05, 0.1, 0.25, 0.5, 1}
    assert {cell.ratio for cell in cells(plan)} >= {0, 0.1, 1}
    measures = {MEASURE_SETS[entry.set].measure for entry in plan.evaluate}
    assert measures == {"safety", "over_refusal", "helpfulness", "utility", "perplexity"}


@pytest.mark.parametrize("name", ["embedded", "full"])
def test_the_texts_of_shipped_plans_suffice(name, data, texts):
    plan = load_plan(EXAMPLES / f"{name}.yaml", curated=texts)
    both = plan.curated.model_copy(update={"min": texts, "random": texts})
    material = read_material(plan.model_copy(update={"curated": both}), data)
    assert material.problems == ()


@pytest.fixture
def texts(tmp_path):
    """A curated file of enough texts for a real dose."""
    path = tmp_path / "texts.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(40):
            turns = [
                {"role": "user", "content": f"Question {number} about garden tool {number}?"},
                {"role": "assistant", "content": f"Tool {number} belongs in shed {number}."},
            ]
            file.write(json.dumps({"messages": turns, "lineage": {"source": str(number), "original": "In a shed."}}))
            file.write("\n")
    return path


def test_there_are_shipped_plans():
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} >= {"quickstart", "embedded", "full"}


def test_the_packaged_quickstart_is_the_example():
    packaged = resources.files("counterpoise") / "customization" / "builtin" / "quickstart.yaml"
    assert packaged.read_text(encoding="utf-8") == (EXAMPLES / "quickstart.yaml").read_text(encoding="utf-8")


def test_every_fault_is_named_at_once(tmp_path):
    path = write(
        tmp_path,
        "model: embedded/smollm2\n"
        "colour: blue\n"
        "attack: {examples: 0, kind: sweet-talk}\n"
        "recipe: {learning_rate: 2}\n"
        "defend: {arms: [curatd]}\n"
        "evaluate: [{set: xstest}]\n"
        "verify_at: [defnded]\n",
    )
    with pytest.raises(ConfigError) as raised:
        load_plan(path)
    message = str(raised.value)
    for part in (
        "colour",
        "attacks.0.examples",
        "attacks.0.kind",
        "recipe.learning_rate",
        "defend.arms.0",
        "evaluate.0.set: unknown set 'xstest'",
        str(path),
    ):
        assert part in message
    assert "\n" not in message


def test_a_wrong_entry_does_not_make_its_list_too_short(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_plan(write(tmp_path, "attack: {examples: 0}\nevaluate: [{set: xstest}]\n"))
    assert "at least 1 item" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"evaluate: .*at least 1 item"):
        load_plan(write(tmp_path, "evaluate: []\n"))


def test_faults_between_sections_are_named_with_the_others(tmp_path):
    path = write(tmp_path, "seeds: [1, 1]\nmax_tokens: 0\ndefend: {arms: [curated, uncurated, curated-min]}\n")
    with pytest.raises(ConfigError) as raised:
        load_plan(path)
    message = str(raised.value)
    for part in (
        "seeds: names something twice",
        "max_tokens",
        "the arm 'curated' needs 'curated', the path of a curated.jsonl (objective max)",
        "the arm 'curated-min' needs 'curated', the path of a curated.jsonl (objective min)",
        "the arm 'uncurated' needs 'curated'",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("defend", "message"),
    [
        (
            {"phases": ["none"], "arms": ["curated", "nothing"]},
            "the arms 'curated' are impossible in the only phase 'none', which uses no data",
        ),
        (
            {"phases": ["before", "after"], "arms": ["nothing"]},
            "the phases 'before', 'after' are impossible with the only arm 'nothing', which has no data",
        ),
        ({"sweep_phases": ["none"]}, "sweep_phases: the phase 'none' uses no data"),
        ({"sweep_arms": ["nothing"]}, "sweep_arms: the arm 'nothing' has no data"),
        ({"sweep_arms": ["refusals"]}, "sweep_arms: 'refusals' not among the plan's arms"),
        ({"phases": ["before"], "doses": [0.5]}, "doses: none of sweep_phases is among the plan's phases"),
        ({"doses": [0.5, 2, -1]}, "must be in [0, 1]; got 2.0, -1.0"),
        ({"arms": ["curated", "curated"]}, "defend.arms: names something twice"),
    ],
)
def test_what_does_not_go_together(defend, message):
    with pytest.raises(ValueError, match=re.escape(message.split(": ", 1)[-1])):
        Plan.model_validate({"curated": "c.jsonl", "defend": defend})


def test_one_attack_may_be_given_by_itself_but_not_beside_a_list():
    single = Plan.model_validate({"curated": "c", "attack": {"kind": "identity-shift"}})
    assert [attack.name for attack in single.attacks] == ["identity-shift"]
    with pytest.raises(ValueError, match="'attack' and 'attacks' are both given"):
        Plan.model_validate({"curated": "c", "attack": {}, "attacks": [{}]})
    with pytest.raises(ValueError, match="names something twice"):
        Plan.model_validate({"curated": "c", "attacks": [{}, {"examples": 3}]})


def test_curated_sets_by_objective(tmp_path):
    path = write(tmp_path, "curated: {max: a.jsonl, random: sub/b}\ndefend: {arms: [curated-random, uncurated]}\n")
    plan = load_plan(path)
    base = tmp_path.resolve()
    assert plan.curated == Curated(max=base / "a.jsonl", random=base / "sub/b")
    assert plan.curated_file("curated-random") == base / "sub/b"
    assert plan.curated_file("uncurated") == base / "a.jsonl"
    assert load_plan(path, curated=tmp_path / "other").curated_file("uncurated") == base / "other"
    with pytest.raises(ConfigError, match=r"curated\.best: Extra inputs"):
        load_plan(write(tmp_path, "curated: {best: a.jsonl}\n"))


def test_where_the_long_measures_are_taken():
    plan = Plan.model_validate({"curated": "c", "defend": {"arms": ["nothing", "uncurated", "curated"]}})
    assert plan.long_at == {"base", "aligned", "attacked", "uncurated"}
    named = Plan.model_validate({"curated": "c", "verify_at": ["base", "defended", "uncurated"]})
    assert named.long_at == {"base", "defended", "uncurated"}
    with pytest.raises(ValueError, match="verify_at: unknown 'refusals'; expected some of aligned, attacked"):
        Plan.model_validate({"curated": "c", "verify_at": ["refusals"]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty or not a mapping"),
        ("- a\n", "empty or not a mapping"),
        ("a: [", "not YAML"),
        ("a: \x00", "not YAML"),
    ],
)
def test_what_is_no_plan(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        load_plan(write(tmp_path, text))


def test_unreadable_plans(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the plan: No such file"):
        load_plan(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_plan(tmp_path / "latin.yaml")


def test_paths_are_relative_to_the_plan(tmp_path):
    plan = load_plan(write(tmp_path, "curated: runs/curated.jsonl\ndata: ../data\nattack: {file: pairs.jsonl}\n"))
    assert plan.curated.max == tmp_path.resolve() / "runs/curated.jsonl"
    assert plan.attacks[0].file == tmp_path.resolve() / "pairs.jsonl"
    assert plan.data == tmp_path.resolve() / "../data"


def test_a_plan_without_curated_arms_needs_no_file():
    plan = Plan.model_validate({"defend": {"arms": ["refusals"]}})
    assert not plan.needs_curated


def test_a_steps_own_recipe_comes_first():
    plan = Plan.model_validate(
        {
            "recipe": {"epochs": 2},
            "attacks": [{"name": "a", "recipe": {"epochs": 3}}, {"name": "b"}],
            "defend": {"arms": ["refusals"]},
        }
    )
    found = [plan.recipe_of(step).epochs for step in steps("every", "refusals", attack="a")]
    assert found == [2, 2, 3, 2]
    assert plan.recipe_of(Step("attack", "b")).epochs == 2
