import json

import pytest

from counterpoise.customization.data.material import read_material
from counterpoise.customization.finetune import Finetuner
from counterpoise.customization.lab import run_lab
from counterpoise.customization.lab.estimate import estimate
from counterpoise.customization.lab.speed import SHIPPED, Speed, measured, recorded
from counterpoise.customization.lab.visits import measure_settings
from counterpoise.customization.lab.work import all_tokens, disk
from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.grid import cells, dependency_graph
from counterpoise.safety.measures import read_items


class Counter:
    """Trains and asks nothing: a token is a word, a checkpoint has a kilobyte."""

    name = "fake/lm"

    def count_tokens(self, examples):
        return [len(example.completion.split()) for example in examples]

    def checkpoint_bytes(self, recipe):
        return 1000 * recipe.rank


def plan(curated, **settings):
    return Plan.model_validate(
        {
            "model": "fake/lm",
            "curated": curated,
            "align": {"refusals": 4, "clean": 4},
            "attack": {"name": "harm", "examples": 6, "recipe": {"epochs": 3, "rank": 1}},
            "defend": {"arms": ["curated", "uncurated"], "phases": ["after", "every"], "dose": 60},
            "recipe": {"rank": 2},
            "judges": ["keyword"],
            "evaluate": [{"set": "builtin-disallowed", "limit": 5}, {"set": "utility-builtin", "limit": 2}],
            **settings,
        }
    )


def of(chosen, **settings):
    items = read_items(measure_settings(chosen))
    return estimate(chosen, read_material(chosen, None), items, Counter(), **settings)


def test_what_is_counted(curated):
    found = of(plan(curated))
    assert len(found.cells) == 5
    assert len(found.steps) == 2 + 2 + 2 * 3
    assert found.loss_tokens == sum(step.loss_tokens * step.epochs for step in found.steps)
    assert {step.epochs for step in found.steps if step.step.startswith("attack")} == {3}
    doses = [step.defence_tokens for step in found.steps]
    assert sum(doses) == pytest.approx(4 * 60, abs=4 * 15)
    # Base, aligned, attacked and four defended checkpoints; utility at the three first and at the first arm.
    assert found.measuring.items == {"safety": 7 * 5, "utility": 5 * 2}
    assert found.measuring.visits == 7
    assert found.measuring.completion_tokens == 7 * 5 * 32
    assert found.measuring.prompt_tokens > 0
    assert json.loads(json.dumps(found.to_json()))["loss_tokens"] == found.loss_tokens


def test_an_unknown_model_has_no_time_without_speed(curated):
    found = of(plan(curated))
    assert (found.seconds, found.speed) == (None, None)


def test_the_embedded_model_has_shipped_speed(curated):
    assert of(plan(curated, model="embedded/smollm2")).speed == SHIPPED.source


def test_time_follows_from_the_speed(curated):
    speed = Speed("here", training=10.0, items={"safety": 1.0, "utility": 2.0}, opening=5.0)
    found = of(plan(curated), speed=speed)
    # The fake tokenizer does not count prompts, so what carries loss is all there is.
    assert found.training_seconds == pytest.approx(found.loss_tokens / 10 + 5 * len(found.steps))
    assert found.measuring_seconds == pytest.approx(35 * 1 + 10 * 2 + 5 * 7)
    assert found.seconds == found.training_seconds + found.measuring_seconds
    assert found.speed == "here"


def test_what_is_done_is_left_out(curated, tmp_path, tiny):
    chosen = plan(
        curated,
        model=str(tiny),
        align=None,
        attack={"name": "harm", "examples": 4},
        defend={"arms": ["curated"], "dose": 60},
        recipe={"epochs": 1, "rank": 1, "max_length": 512},
        evaluate=[{"set": "builtin-disallowed", "limit": 2}],
        max_tokens=2,
    )
    finetuner, items, material = Finetuner(str(tiny)), read_items(measure_settings(chosen)), read_material(chosen, None)
    out = tmp_path / "run"
    before = estimate(chosen, material, items, finetuner, out=out)
    assert [step.step for step in before.steps] == ["attack+harm", "defend.curated"]
    assert all(step.tokens > step.loss_tokens > 0 for step in before.steps)
    assert before.disk_peak == before.disk_kept == 2 * finetuner.checkpoint_bytes(chosen.recipe)
    assert before.disk_free > before.disk_peak
    trial = measured(chosen, material, items, finetuner)
    assert trial.training > 0
    assert set(trial.items) == {"safety"}
    assert recorded(out) is None
    run_lab(chosen, out)
    after = estimate(chosen, material, items, finetuner, out=out)
    assert (after.steps, after.measuring.items, after.disk_peak) == ((), {}, 0)
    known = recorded(out)
    assert after.speed == known.source == "the rows in run: 2 trained steps, 6 measured items"
    assert known.training > 0
    assert all_tokens(str(tiny))([]) == []
    rows = (out / "rows.jsonl").read_text().splitlines(keepends=True)
    (out / "rows.jsonl").write_text("".join(rows[:-1]))
    assert estimate(chosen, material, items, finetuner, out=out).measuring.items == {"safety": 2}


def test_results_alone_need_the_longest_chain_of_disk(curated):
    def need(**settings):
        chosen = plan(curated, **settings)
        graph = dependency_graph(cells(chosen))
        return disk(chosen, graph, lambda recipe: recipe.rank)

    # Alignment 2, attack 1; after: 2 times 2; every: 2 times (2 + 1 + 2).
    assert need() == (17, 17)
    # Never more than align, and the three steps of one cell in every phase.
    assert need(keep="results") == (0, 2 + 2 + 1 + 2)
