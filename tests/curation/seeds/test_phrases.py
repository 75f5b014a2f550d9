import sys

import pytest

from counterpoise.curation.seeds.phrases import MAX_WORDS, keyphrases, meaning_key
from counterpoise.errors import MissingExtraError


def found(text: str, limit: int = 50):
    return {phrase.text: phrase for phrase in keyphrases(text.split("\n"), limit)}


def test_a_phrase_counts_where_it_stands_by_itself():
    phrases = found(
        "The fire alarm is loud. The fire alarm test is on Monday, so test the fire alarm.\n"
        "Loud Fire Alarm. (Fire alarm) and fire-alarm. A fire alarm"
    )
    # Not in "fire alarm test", "loud fire alarm" and "fire-alarm".
    assert phrases["fire alarm"].count == 4
    assert phrases["fire alarm"].key == meaning_key("alarms of fire")
    assert phrases["fire alarm"].score > 0


def test_a_part_of_a_longer_term_is_no_phrase():
    phrases = found("The carbon monoxide detector is new. Every carbon monoxide detector is loud. A detector is good.")
    assert "carbon monoxide detector" in phrases
    assert "detector" in phrases
    assert not {"carbon monoxide", "monoxide detector", "monoxide", "carbon"} & phrases.keys()


def test_forms_of_one_phrase_are_one():
    phrases = found("Gas leaks are bad. Gas leaks are loud. A gas leak is bad. The leaks of gas are bad.")
    assert [phrase.key for phrase in phrases.values()].count("gas leak") == 1
    assert meaning_key("leaks of gas") == meaning_key("Gas leak")


def test_best_first_and_no_more_than_the_limit():
    text = "The gas leak is bad. A gas leak is loud. The old garden is green. One rainy evening is enough."
    scores = [phrase.score for phrase in found(text).values()]
    assert scores == sorted(scores)
    assert len(scores) > 3
    assert len(found(text, limit=2)) <= 2


def test_only_plain_terms():
    text = (
        "See config.yaml and v2.0 of it, a 3-day course. The <b>bold</b> claim of it; right of way is kept.\n"
        "Models for rent are here, models for rent. AI is old. Of the and."
    )
    phrases = found(text)
    assert phrases
    for phrase in phrases:
        parts = phrase.split()
        assert len(parts) <= MAX_WORDS
        assert all(letter.isalpha() or letter in " '’-" for letter in phrase)
        assert 4 <= len(phrase) <= 60
        assert meaning_key(parts[0])
        assert meaning_key(parts[-1])
        assert "for" not in parts


def test_spelling():
    text = "GDPR is law. The GDPR is new. The LaTeX file is long. DANGER AHEAD. The Data Officer is in, a Data Officer."
    assert {"GDPR", "data officer"} <= found(text).keys()
    assert not {"gdpr", "Data Officer", "AHEAD"} & found(text).keys()


def test_a_definition_is_the_gloss():
    phrases = found(
        "Triage is the sorting of patients by need. The triage was quick.\n"
        "The plan is a list of many short steps. A plan is good."
    )
    assert phrases["triage"].gloss == "Triage is the sorting of patients by need."
    assert phrases["plan"].gloss == ""


@pytest.mark.parametrize("text", ["", "1 2 3", "of the and", "!!!", "x" * 10_000, "\u202e \u0000 \ud7ff"])
def test_texts_without_phrases(capfd, text):
    assert keyphrases([text], 10) == []
    assert capfd.readouterr() == ("", "")


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "yake", None)
    with pytest.raises(
        MissingExtraError, match=r"extracting keyphrases needs the package 'yake'.*counterpoise\[curate\]"
    ):
        keyphrases(["Words."], 10)
