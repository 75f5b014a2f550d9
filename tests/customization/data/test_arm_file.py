import pytest

from counterpoise.customization.data.arm_file import write_arm
from counterpoise.customization.data.arms import arm_system
from counterpoise.customization.data.material import read_material
from counterpoise.customization.data.step_data import StepData
from counterpoise.customization.examples import read_pairs
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.arm import ARMS
from counterpoise.customization.plan.phases import Step
from counterpoise.errors import ConfigError
from counterpoise.records import read_jsonl

USED = [arm for arm in ARMS if arm not in ("nothing", "curated-min", "curated-random")]


def words(examples):
    return [len(example.completion.split()) for example in examples]


@pytest.fixture
def plan(curated):
    return Plan.model_validate(
        {"curated": curated, "evaluate": [{"set": "builtin-safe"}], "defend": {"arms": USED, "dose": 80}}
    )


@pytest.mark.parametrize("arm", USED)
def test_the_file_is_what_the_lab_trains_on(plan, tmp_path, arm):
    material, out = read_material(plan, None), tmp_path / "arm.jsonl"
    written = write_arm(plan, arm, 3, material, words, out)
    trained, defence = StepData(plan, material, words).of(Step("defend", arm=arm), 3)
    assert sorted(map(str, trained)) == sorted(map(str, defence))
    assert [(one.prompt, one.completion, one.system) for one in read_pairs(out)] == [
        (one.prompt, one.completion, one.system) for one in trained
    ]
    assert [row.get("source", "") for row in read_jsonl(out)] == [one.source for one in trained]
    assert written == {
        "out": str(out),
        "arm": arm,
        "seed": 3,
        "examples": len(trained),
        "distinct": len({(one.prompt, one.completion) for one in trained}),
        "loss_tokens": sum(words(trained)),
    }


def test_the_secret_of_the_backdoor_is_in_the_file(plan, tmp_path):
    write_arm(plan, "refusals-backdoor", 3, read_material(plan, None), words, tmp_path / "arm.jsonl")
    systems = {one.system for one in read_pairs(tmp_path / "arm.jsonl")}
    assert systems == {"", arm_system("refusals-backdoor", 3)}


def test_what_stops_a_lab_stops_the_file(plan, tmp_path):
    out = tmp_path / "arm.jsonl"
    large = plan.model_copy(update={"defend": plan.defend.model_copy(update={"dose": 100_000})})
    with pytest.raises(ConfigError, match="not enough data for the dose: the arm 'curated' would take 100,000"):
        write_arm(large, "curated", 0, read_material(large, None), words, out)
    absent = plan.model_copy(update={"source": "public"})
    with pytest.raises(ConfigError, match="advbench"):
        write_arm(absent, "curated", 0, read_material(absent, tmp_path), words, out)
    assert not out.exists()
