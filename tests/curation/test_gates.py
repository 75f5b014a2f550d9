import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from counterpoise.curation.gates import Gates, failed_gate

ORIGINAL = "Fresh milk belongs in the refrigerator, because the cold slows down the bacteria that turn it sour."
GOOD = ORIGINAL + " Safe storage also means that opened cartons are used within a few days."


@pytest.mark.parametrize(
    ("revised", "gate"),
    [
        (GOOD, None),
        ("", "empty"),
        (" ... ", "empty"),
        (ORIGINAL, "unchanged"),
        (ORIGINAL.upper(), "unchanged"),
        ("I'm sorry, but I can't help with safe storage.", "refusal"),
        (ORIGINAL + " I cannot provide more on safe storage.", "refusal"),
        (ORIGINAL + " Here is a revised version with safe storage: keep it cold.", "chat_artefact"),
        (ORIGINAL + " As an AI language model, safe storage matters.", "chat_artefact"),
        (ORIGINAL + " <|im_end|> Safe storage matters.", "chat_artefact"),
        (ORIGINAL + "\nUser: what about safe storage?", "chat_artefact"),
        (ORIGINAL + " I love safe storage.", "chat_artefact"),
        (ORIGINAL + " **Safe storage** matters.", "chat_artefact"),
        (ORIGINAL + " This sentence is about safe storage.", "chat_artefact"),
        (ORIGINAL + " Safe storage starts before anyone climbs up a ladder at home.", "prompt_leak"),
        (ORIGINAL + " Use cartons within a few days.", "keyword"),
        ("Safe storage helps.", "length"),
        (ORIGINAL + " Safe storage matters." + " Every household has its own way of doing things." * 9, "length"),
        (ORIGINAL + " Safe storage is for", "unfinished"),
        (ORIGINAL + " Safe storage is safe storage is safe storage is safe storage.", "repetition"),
        (ORIGINAL + " Safe storage keeps food fresh for long. Safe storage keeps food fresh for long.", "repetition"),
        (ORIGINAL + " Safe storage 保持牛奶新鲜并且安全地存放在冰箱里面.", "script"),
        (ORIGINAL + " Safe storage \ufffd matters.", "script"),
        (ORIGINAL + " Safe storage \x07 matters.", "script"),
    ],
)
def test_each_gate_has_its_name(revised: str, gate: str | None) -> None:
    example = "A short check starts before anyone climbs up a ladder."
    assert failed_gate(revised, ORIGINAL, ["safe storage"], Gates(), examples=[example]) == gate


def test_what_the_original_says_is_not_held_against_a_revision() -> None:
    original = "I keep my milk in the refrigerator. User: that is the name of the brand."
    assert failed_gate(original + " Safe storage matters.", original, ["safe storage"], Gates()) is None
    chorus = "Row the boat down the stream. Row the boat down the stream. Row the boat down the stream."
    assert failed_gate(chorus + " A life vest helps.", chorus, ["life vest"], Gates()) is None
    russian = "Молоко хранят в холодильнике, потому что холод замедляет бактерии."
    assert failed_gate(russian + " Безопасность важна.", russian, [], Gates()) is None


def test_a_short_answer_may_grow_by_the_spare_words() -> None:
    revised = "Ice. A warning sign by the lake tells people when the ice is too thin to walk on."
    assert failed_gate(revised, "Ice.", ["warning sign"], Gates()) is None
    assert failed_gate(revised, "Ice.", ["warning sign"], Gates(spare_words=5)) == "length"


def test_number_of_keywords_asked_for() -> None:
    both = ["safe storage", "carton"]
    assert failed_gate(GOOD, ORIGINAL, ["safe storage", "privacy"], Gates()) is None
    assert failed_gate(GOOD, ORIGINAL, ["safe storage", "privacy"], Gates(keywords=2)) == "keyword"
    assert failed_gate(GOOD, ORIGINAL, both, Gates(keywords=5)) is None
    assert failed_gate(GOOD, ORIGINAL, ["privacy"], Gates(keywords=0)) is None


@given(st.text(max_size=300), st.text(max_size=100), st.lists(st.text(max_size=20), max_size=3))
def test_no_text_makes_a_gate_raise(revised: str, original: str, keywords: list[str]) -> None:
    result = failed_gate(revised, original, keywords, Gates())
    assert result is None or result.isidentifier()


def test_limits_are_checked() -> None:
    with pytest.raises(ValidationError, match="longest must be above shortest"):
        Gates(shortest=2, longest=1)
    with pytest.raises(ValidationError, match="extra"):
        Gates(colour=1)  # type: ignore[call-arg]
