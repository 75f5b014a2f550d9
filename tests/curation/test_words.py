import pytest

from counterpoise.curation.words import content_stems, phrase_in, sentences, stem, words


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("fire exit", "Keep the fire exits free.", True),
        ("fire exit", "The exit was on fire.", False),
        ("age-appropriate design", "An Age appropriate design helps.", True),
        ("consent", "It is nonconsensual.", False),
        ("", "anything", False),
        ("privacy", "", False),
    ],
)
def test_phrase_is_found_whatever_its_case_hyphens_and_endings(phrase: str, text: str, expected: bool) -> None:
    assert phrase_in(phrase, text) is expected


def test_inflected_forms_share_a_stem() -> None:
    assert len({stem(word) for word in ("stop", "stops", "stopped", "stopping")}) == 1
    assert len({stem(word) for word in ("store", "stores", "storing", "stored")}) == 1
    assert stem("as") == "as"


def test_content_leaves_function_words_out() -> None:
    assert content_stems("It is because of the ice that they are there.") == {stem("ice")}
    assert content_stems("") == set()


def test_sentences_of_other_scripts_and_of_nothing() -> None:
    assert sentences("") == []
    assert sentences("氷は浮く。 軽いから。") == ["氷は浮く。", "軽いから。"]
    assert sentences('He said "stop." Then he left.') == ['He said "stop."', "Then he left."]


def test_words_of_other_scripts() -> None:
    assert words("Лёд плавает, naïve café 冰") == ["лёд", "плавает", "naïve", "café", "冰"]
