from importlib import resources
from pathlib import Path

import pytest

from counterpoise.customization.phases import Step
from counterpoise.customization.plan import Plan, cells, load_plan
from counterpoise.errors import ConfigError

EXAMPLES = Path(__file__).parents[2] / "examples"


def write(tmp_path, text):
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_plans_are_valid(path, curated):
    plan = load_plan(path, curated=curated)
    assert plan.name == path.stem
    assert plan.curated == curated
    assert len(cells(plan)) > 1


def test_there_are_shipped_plans():
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} >= {"quickstart", "advbench"}


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
        "evaluate: [{set: xstest}]\n",
    )
    with pytest.raises(ConfigError) as raised:
        load_plan(path)
    message = str(raised.value)
    for part in (
        "colour",
        "attack.examples",
        "attack.kind",
        "recipe.learning_rate",
        "defend.arms.0",
        "evaluate.0.set: unknown prompt set 'xstest'",
        str(path),
    ):
        assert part in message
    assert "\n" not in message


def test_faults_between_fields_are_named_together(tmp_path):
    path = write(tmp_path, "seeds: [1, 1]\ndefend: {arms: [curated, curated]}\n")
    with pytest.raises(ConfigError, match=r"seeds names something twice; defend.arms names .*; the arms 'curated'"):
        load_plan(path)


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
    plan = load_plan(write(tmp_path, "curated: runs/curated.jsonl\ndata: ../data\n"))
    assert plan.curated == tmp_path.resolve() / "runs/curated.jsonl"
    assert plan.data == tmp_path.resolve() / "../data"


def test_the_grid():
    plan = Plan.model_validate(
        {
            "seeds": [0, 7],
            "curated": "c.jsonl",
            "defend": {"phases": ["none", "before", "after"], "arms": ["curated", "nothing", "refusals"]},
        }
    )
    names = [cell.name for cell in cells(plan)]
    assert names[:5] == [
        "none-nothing-s0",
        "before-curated-s0",
        "before-refusals-s0",
        "after-curated-s0",
        "after-refusals-s0",
    ]
    assert len(names) == len(set(names)) == 10


def test_a_plan_without_curated_arms_needs_no_file():
    plan = Plan.model_validate({"defend": {"arms": ["refusals"]}})
    assert not plan.needs_curated


def test_a_steps_own_recipe_comes_first():
    plan = Plan.model_validate(
        {"recipe": {"epochs": 2}, "attack": {"recipe": {"epochs": 3}}, "defend": {"arms": ["refusals"]}}
    )
    epochs = [plan.recipe_of(Step(name)).epochs for name in ("align", "attack", "mixed", "defend")]
    assert epochs == [2, 3, 3, 2]
