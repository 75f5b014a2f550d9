import json
from collections import Counter
from pathlib import Path

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
        (ORIGINAL + " Safe storage is what I always recommended.", "chat_artefact"),
        (ORIGINAL + " Safe storage was taught in World War I by posters.", None),
        (ORIGINAL + " **Safe storage** matters.", "chat_artefact"),
        (ORIGINAL + " This sentence is about safe storage.", "chat_artefact"),
        (ORIGINAL + " Safe storage starts before anyone climbs up a ladder at home.", "prompt_leak"),
        (ORIGINAL + " Use cartons within a few days.", "keyword"),
        ("Safe storage helps.", "length"),
        (ORIGINAL + " Safe storage matters." + " Every household has its own way of doing things." * 9, "length"),
        (ORIGINAL + " Safe storage is for", "unfinished"),
        (ORIGINAL + " Safe storage is safe storage is safe storage is safe storage.", "repetition"),
        (ORIGINAL + " Safe storage keeps food fresh for long. Safe storage keeps food fresh for long.", "repetition"),
        (ORIGINAL + " Safe storage 保持牛奶新鲜并且安全地存放在冰箱里面.", "language"),
        (ORIGINAL + " Safe storage \ufffd matters.", "language"),
        (ORIGINAL + " Safe storage \x07 matters.", "language"),
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
    # Said twice in an original that has no full stop.
    clumsy = "is the best since it is the best backup"
    assert failed_gate(f"{clumsy}. A life vest helps as well.", clumsy, ["life vest"], Gates()) is None
    assert failed_gate("42. A life vest helps.", "42", ["life vest"], Gates()) is None


@pytest.mark.parametrize(
    "added",
    [
        "The advice of a doctor is part of safe storage.",
        "The statement on the label says how safe storage works.",
        "The text of the label explains safe storage.",
    ],
)
def test_words_for_texts_may_be_the_subject(added: str) -> None:
    assert failed_gate(f"{ORIGINAL} {added}", ORIGINAL, ["safe storage"], Gates()) is None


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


FOREIGN = [
    line.split("\t") for line in (Path(__file__).parent / "foreign.txt").read_text(encoding="utf-8").splitlines()
]
"""Languages and sentences, a third of them with seven words or fewer, some with an English keyword."""

ENGLISH = [
    ORIGINAL,
    "Rivers wash salts out of rocks and carry them into the sea.",
    "because you want to sit down when you are tired",
    "No. Ada Lovelace died in 1852. The telephone was invented in 1876.",
]


def test_other_languages_are_refused_and_english_is_not() -> None:
    refused = Counter(
        failed_gate(f"{original.rstrip('.')}. {sentence}", original, [], Gates())
        for original in ENGLISH
        for _, sentence in FOREIGN
    )
    assert set(refused) <= {"language", None}
    assert refused["language"] >= 0.97 * refused.total()
    for original in ENGLISH:
        for other in ENGLISH:
            if other != original:
                revised = f"{original.rstrip('.')}. {other.rstrip('.')}."
                assert failed_gate(revised, original, [], Gates()) is None


def test_the_language_is_the_originals() -> None:
    for language, original in FOREIGN:
        for other, sentence in FOREIGN:
            if sentence == original:
                continue
            gate = failed_gate(f"{original} {sentence}", original, [], Gates())
            assert gate is None or (gate == "language" and other != language), (original, sentence)
    english = "Safe storage keeps dangerous things away from small children."
    for original in (sentence for language, sentence in FOREIGN if language in ("de", "fr") and len(sentence) > 40):
        assert failed_gate(f"{original} {english}", original, [], Gates()) == "language"
        assert failed_gate(f"{original} {english}", original, [], Gates(language=0)) is None


def test_a_whole_rewrite_in_another_language_is_refused() -> None:
    french = "Le lait frais se garde au réfrigérateur. Le froid y ralentit les bactéries."
    assert failed_gate(french, ORIGINAL, [], Gates()) == "language"
    # Sentences that are too short alone.
    assert failed_gate(f"{ORIGINAL} Restez calme. Soyez prudent. Lavez vos mains.", ORIGINAL, [], Gates()) == "language"


def test_a_short_original_has_the_language_of_its_question() -> None:
    french = "Une issue de secours doit rester libre à tout moment."
    name = "Ludwig van Beethoven"
    question = "Who wrote the symphony that ends with a choir?"
    english = f"{name}. Hearing protection helps musicians of every age."
    assert failed_gate(english, name, [], Gates(), question=question) is None
    assert failed_gate(f"{name}. {french}", name, [], Gates(), question=question) == "language"
    assert (
        failed_gate(f"{name}. {french}", name, [], Gates(), question="Qui a écrit cette symphonie avec un choeur ?")
        is None
    )
    # Nothing tells the language.
    assert failed_gate(f"{name}. {french}", name, [], Gates()) is None


def test_what_is_no_language_is_not_foreign() -> None:
    assert failed_gate(f"{ORIGINAL} 7 + 5 = 12, 12 - 5 = 7.", ORIGINAL, [], Gates()) is None
    numbers = "[3, 4, 5, 6, 7, 8, 9, 10, 11]"
    assert (
        failed_gate(f"{numbers}. Safe storage keeps children away.", numbers, [], Gates(), question="Add one.") is None
    )


NEUTRAL = {
    "risk assessment": "A risk assessment finds out what can go wrong before work begins.",
    "safe storage": "Safe storage keeps dangerous things away from small children.",
    "honest dealing": "Honest dealing means that neither side is misled.",
    "informed consent": "Informed consent means that people know what they agree to.",
    "warning label": "A warning label tells people what to watch out for.",
}


def public_texts(data: Path) -> dict[str, list[str]]:
    folder = data / "commonsense"
    try:
        strategy = json.loads((folder / "bigbench_strategyqa_task.json").read_text(encoding="utf-8"))["examples"]
        lines = (folder / "cose_train_v1.0_processed.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        pytest.skip(f"needs public data: {error}")
    explanations = [json.loads(line)["explanation"]["open-ended"].strip() for line in lines]
    return {
        "strategyqa": [example["target"] for example in strategy],
        "cose": [text for text in explanations if text],
    }


def test_gates_let_public_texts_with_a_safety_sentence_pass(data: Path) -> None:
    for name, texts in public_texts(data).items():
        refused: Counter[str | None] = Counter()
        for number, original in enumerate(texts[:500]):
            keyword = list(NEUTRAL)[number % len(NEUTRAL)]
            ended = original if original[-1] in ".!?" else f"{original}."
            refused[failed_gate(f"{ended} {NEUTRAL[keyword]}", original, [keyword], Gates())] += 1
        assert refused[None] >= 0.99 * refused.total(), (name, refused)


def test_english_sentences_of_public_texts_are_not_foreign_and_others_are(data: Path) -> None:
    for name, texts in public_texts(data).items():
        # Revisions of the first texts with all sentences of the last ones.
        count = 1000
        ended = [text if text[-1] in ".!?" else f"{text}." for text in texts]
        pairs = zip(ended[:count], ended[-count:], strict=True)
        loose = Gates(longest=1000, distinct=0, script=0)
        false = sum(failed_gate(f"{text} {other}", text, [], loose) == "language" for text, other in pairs)
        assert false <= 0.005 * count, name
        found = sum(
            failed_gate(f"{text} {sentence}", text, [], loose) == "language"
            for text, (_, sentence) in zip(ended, FOREIGN * 10, strict=False)
        )
        assert found >= 0.93 * len(FOREIGN) * 10, name


@given(st.text(max_size=300), st.text(max_size=100), st.lists(st.text(max_size=20), max_size=3), st.text(max_size=50))
def test_no_text_makes_a_gate_raise(revised: str, original: str, keywords: list[str], question: str) -> None:
    result = failed_gate(revised, original, keywords, Gates(), question=question)
    assert result is None or result.isidentifier()


def test_limits_are_checked() -> None:
    with pytest.raises(ValidationError, match="longest must be above shortest"):
        Gates(shortest=2, longest=1)
    with pytest.raises(ValidationError, match="extra"):
        Gates(colour=1)  # type: ignore[call-arg]
