import pytest

from counterpoise.counterfactual.tools import Finding
from counterpoise.counterfactual.tools.text import EntityTool, PhraseTool
from counterpoise.lm.ner import Entity


@pytest.fixture(scope="module")
def phrases():
    return PhraseTool()


def texts(found, kind="noun phrase"):
    return [finding.text for finding in found if finding.kind == kind]


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("The keeper pulls the lever.", ["keeper", "lever"]),
        ("Had the lock been open, the boat would not have moved.", ["lock", "boat"]),
        ("A tall man drinks his cold tea.", ["tall man", "cold tea"]),
        ("She drinks a cup of black tea.", ["cup", "cup of black tea", "black tea"]),
        ("My neighbour's dog ate three pies.", ["neighbour", "neighbour's dog", "dog", "three pies"]),
        ("The neighbour’s dog hadn’t eaten.", ["neighbour", "neighbour's dog", "dog"]),
        ("The plaurnax was praugum.", ["plaurnax", "praugum"]),
        ("He runs and she did not.", []),
        ("The cat and the dog sat on a mat.", ["cat", "dog", "mat"]),
        ("The locks open when the bell rings its tune.", ["locks", "bell", "tune"]),
        ("Of", []),
    ],
)
def test_noun_phrases(phrases, sentence, wanted):
    assert texts(phrases.run(sentence)) == wanted


def test_named_entities(phrases):
    found = phrases.run("George Washington met Mrs. Quixelby in Paris, at the Oakhurst Institute.")
    entities = [(one.text, one.detail) for one in found if one.kind == "named entity"]
    assert entities == [
        ("George Washington", "person"),
        ("Mrs. Quixelby", ""),
        ("Paris", "place"),
        ("Oakhurst Institute", ""),
    ]


def test_repetitions_are_one_and_sentences_in_order(phrases):
    found = phrases.run("The bell rang. The Bell was loud; a boat left the bell.")
    assert [text.lower() for text in texts(found)] == ["bell", "boat"]


def test_phrases_alone(phrases):
    text = "She drinks a cup of black tea in Paris."
    assert phrases.phrases(text, 9) == ["cup", "black tea", "Paris"]
    assert phrases.phrases(text, 2) == ["cup", "black tea"]
    assert phrases.phrases("", 9) == []


def test_long_sentences_are_read_to_their_end(phrases):
    assert "lantern" in texts(phrases.run("it ran and " * 200 + "found the lantern."))


def test_what_comes_late_in_a_long_text_is_left_out(phrases):
    assert texts(phrases.run("It ran. " * 10_000 + "The lantern fell.")) == []
    many = " ".join(f"The {first}{second}on fell." for first in "bdfgklmnprst" for second in "aeiouy")
    assert len(phrases.run(many)) == 60


class _Named:
    """Takes capitals for names."""

    name = "capitals"
    revision = "1"

    def entities(self, texts):
        return [[Entity(at, at + 1, "X") for at, letter in enumerate(text) if letter.isupper()] for text in texts]


def test_entities_are_those_of_the_model(gate):
    tool = EntityTool(_Named())
    assert (tool.name, tool.version) == ("ner capitals", "1")
    assert tool.run("a B c B D") == [Finding("named entity", "B", "X"), Finding("named entity", "D", "X")]
    assert tool.run("") == []
    assert [finding.text for finding in tool.find(gate)] == ["T", "W"]
