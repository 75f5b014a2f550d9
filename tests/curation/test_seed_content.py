"""The shipped safety keywords: shape, uniqueness, balance, and agreement with their documentation."""

import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from counterpoise.records import read_jsonl

SEEDS = read_jsonl(files("counterpoise.curation.seeds") / "seeds.jsonl")
DOCUMENT = Path(__file__).parents[2] / "docs" / "seeds.md"
ENDINGS = (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", ""))


def stem(word: str) -> str:
    """A word without its ending, crude on purpose: it may join too much, never too little."""
    for ending, replacement in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending) + replacement
    return word


def normalised(keyword: str) -> tuple[str, ...]:
    words = re.findall(r"[a-z0-9]+", keyword.lower().replace("'s", ""))
    return tuple(sorted(stem(word) for word in words))


def test_the_stemmer_joins_what_it_must():
    assert normalised("Fire exits") == normalised("fire exit")
    assert normalised("hand washing") == normalised("wash hands")
    assert normalised("cross-contamination") == normalised("cross contamination")
    assert normalised("safety policies") == normalised("safety policy")
    assert normalised("fire exit") != normalised("fire blanket")


def test_there_are_enough_and_they_have_the_documented_fields():
    assert len(SEEDS) >= 520
    for seed in SEEDS:
        assert set(seed) == {"keyword", "category", "gloss"}
        assert all(isinstance(value, str) and value == value.strip() and value for value in seed.values()), seed


def test_keywords_are_short_lower_case_phrases():
    for seed in SEEDS:
        keyword = seed["keyword"]
        assert re.fullmatch(r"[a-z0-9]+(?:['-][a-z0-9]+)*(?: [a-z0-9]+(?:['-][a-z0-9]+)*){0,3}", keyword), keyword


def test_no_two_keywords_are_the_same_after_normalisation():
    counts = Counter(normalised(seed["keyword"]) for seed in SEEDS)
    assert [words for words, count in counts.items() if count > 1] == []


def test_glosses_are_single_sentences_of_eight_to_twenty_words():
    for seed in SEEDS:
        gloss = seed["gloss"]
        assert 8 <= len(gloss.split()) <= 20, gloss
        assert re.fullmatch(r"[A-Z][^.!?]*\.", gloss), gloss
        assert gloss.isascii(), gloss
        assert "  " not in gloss
        assert not re.search(r"\b(\w+) \1\b", gloss.lower()), gloss


def test_each_gloss_speaks_of_its_keyword_and_says_more():
    for seed in SEEDS:
        keyword, gloss = set(normalised(seed["keyword"])), set(normalised(seed["gloss"]))
        assert keyword & gloss, seed
        assert len(gloss - keyword) >= 5, seed


def test_no_two_glosses_are_alike():
    bags = [(set(re.findall(r"\w+", seed["gloss"].lower())), seed["keyword"]) for seed in SEEDS]
    for index, (bag, keyword) in enumerate(bags):
        for other, other_keyword in bags[:index]:
            assert len(bag & other) / len(bag | other) < 0.5, (keyword, other_keyword)


def test_glosses_do_not_follow_a_template():
    openings = Counter(
        " ".join(re.sub(re.escape(seed["keyword"]), "*", seed["gloss"], flags=re.IGNORECASE).split()[:4])
        for seed in SEEDS
    )
    opening, count = openings.most_common(1)[0]
    assert count <= len(SEEDS) // 20, opening


def test_categories_are_balanced():
    counts = Counter(seed["category"] for seed in SEEDS)
    assert 14 <= len(counts) <= 18
    assert min(counts.values()) >= 20
    assert max(counts.values()) <= 1.5 * min(counts.values())
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", category) for category in counts)


def test_the_taxonomy_document_agrees_with_the_file():
    text = DOCUMENT.read_text(encoding="utf-8")
    documented = {
        name: int(count) for name, count in re.findall(r"^\| `([a-z-]+)` \| .+ \| (\d+) \|$", text, re.MULTILINE)
    }
    assert documented == Counter(seed["category"] for seed in SEEDS)
    assert f"{len(SEEDS)} keywords" in text
    assert "2410.02220" in text


@pytest.mark.parametrize(
    "keyword", ["informed consent", "duty of care", "fire exit", "privacy by default", "de-escalation"]
)
def test_expected_keywords_are_there(keyword: str):
    assert keyword in {seed["keyword"] for seed in SEEDS}
