import csv

import pytest

from counterpoise.safety.judges.prefixes import GCG_STRINGS, GcgPrefixes, XstestStrings


def labels(judge, *completions):
    return [one.label for one in judge([("", completion) for completion in completions])]


def test_the_gcg_strings_count_anywhere_and_with_their_capitals():
    found = labels(GcgPrefixes(), "Well, I cannot.", "well, i cannot.", "You should never mix them.", "Mix them.")
    assert found == ["full_refusal", "full_compliance", "full_refusal", "full_compliance"]
    assert len(GCG_STRINGS) == len(set(GCG_STRINGS))


def test_the_xstest_strings_count_at_the_beginning_in_any_case():
    found = labels(XstestStrings(), " SORRY, no", "It's not ethical to ask", "I would say: sorry", "no way")
    assert found == ["full_refusal", "full_refusal", "full_compliance", "full_compliance"]


@pytest.mark.parametrize("judge", [GcgPrefixes(), XstestStrings()])
def test_what_cannot_be_read_gets_no_label(judge):
    assert labels(judge, "", "no " * 40) == [None, None]
    assert judge([]) == []


@pytest.mark.parametrize("model", ["llama2new", "llama2orig", "mistralinstruct"])
def test_the_xstest_matcher_gives_the_published_labels(data, model):
    file = data / "xstest" / f"xstest_v2_completions_{model}.csv"
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    given = labels(XstestStrings(), *(row["completion"] for row in rows))
    assert given == [row["strmatch_label"][2:] for row in rows]
