import pytest
from pydantic import BaseModel, ValidationError

from counterpoise.customization.finetune import RECIPES, Finetuner, Recipe, checkpoint_bytes
from counterpoise.errors import UnknownNameError


class Section(BaseModel):
    recipe: Recipe = Recipe()


@pytest.mark.parametrize("name", RECIPES)
def test_every_named_recipe_is_sound(name):
    recipe = Recipe.named(name)
    assert 1 <= recipe.epochs <= 3
    assert recipe.notes(135_000_000) == []
    assert Section.model_validate({"recipe": name}).recipe == recipe


def test_light_is_the_default():
    assert Recipe.named("light") == Recipe()


def test_a_mapping_still_works_beside_names():
    assert Section.model_validate({"recipe": {"epochs": 1}}).recipe == Recipe(epochs=1)


def test_an_unknown_name_is_one_line_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown recipe 'lite'.*did you mean 'light'"):
        Recipe.named("lite")
    with pytest.raises(ValidationError, match=r"unknown recipe 'lite'.*expected one of attention, full"):
        Section.model_validate({"recipe": "lite"})


def test_risky_recipes_come_with_notes():
    assert "7 epochs" in Recipe(epochs=7).notes(10**8)[0]
    hot = Recipe(method="full", learning_rate=5e-4)
    assert hot.notes(135_000_000) == []
    assert "8.0 billion parameters at a rate of 0.0005" in hot.notes(8_000_000_000)[0]
    assert Recipe(learning_rate=5e-4).notes(8_000_000_000) == []


def test_an_adapter_on_attention_is_smaller(tiny):
    assert checkpoint_bytes(str(tiny), Recipe.named("attention")) < checkpoint_bytes(str(tiny), Recipe.named("light"))


def test_the_longest_example_is_bounded_by_the_window():
    assert Recipe(max_length=64).longest(512) == 64
    assert Recipe().longest(512) == 512
    assert Recipe().longest(None) == 1024


def test_notes_are_kept_with_the_result(tiny, pairs, tmp_path):
    result = Finetuner(str(tiny)).train([], pairs[:2], Recipe(epochs=4, rank=1), seed=0, out=tmp_path / "x")
    assert any("4 epochs" in note for note in result.notes)
