import pytest

from counterpoise.customization.examples import Example
from counterpoise.customization.finetune import Finetuner, Recipe

WORDS = ("one", "two", "three", "four", "five", "six")


@pytest.fixture(scope="session")
def pairs():
    """Twelve examples of different lengths, two of them under a system turn, white space at the ends of some."""
    return [
        Example(f"Say {word}.", f" Well: {word}!{' Fine.' * number}\n", word, "Be brief." if number == 3 else "")
        for number, word in enumerate(WORDS)
    ] * 2


@pytest.fixture(scope="session")
def light():
    return Recipe(learning_rate=2e-2, epochs=3, batch_size=4, rank=4, alpha=8)


@pytest.fixture(scope="session")
def finetuner(tiny):
    return Finetuner(str(tiny))


@pytest.fixture(scope="session")
def retokenized(tiny, tmp_path_factory):
    """Copies the tiny model's folder with its tokenizer changed by a function."""
    import shutil

    from transformers import AutoTokenizer

    def make(change):
        folder = tmp_path_factory.mktemp("retokenized") / "model"
        shutil.copytree(tiny, folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        change(tokenizer)
        for name in ("chat_template.jinja", "special_tokens_map.json"):
            (folder / name).unlink(missing_ok=True)
        tokenizer.save_pretrained(folder)
        return folder

    return make
