import pytest

from counterpoise.curation.seeds import Provenance, Seed
from counterpoise.curation.seeds.gloss import definitions, with_glosses
from counterpoise.lm.fake import FakeLM

FROM_A_FILE = Provenance(documents=("a.md",), count=2, relevance=0.3)


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ("A trip hazard is a loose cable that makes people fall.", "trip hazard"),
        ("Lockout (of machines) means that nobody can start them.", "lockout"),
        ("Near misses are the accidents that almost happened at work.", "near misses"),
        ("Consent refers to an agreement that is freely given.", "consent"),
    ],
)
def test_definitions_are_found(sentence, what):
    assert definitions([f"Some words first. {sentence} More of it."]) == {what: sentence}


@pytest.mark.parametrize(
    "sentence",
    [
        "Consent is important for all of us here.",
        "The consent is a form that you sign below.",
        "Consent is a thing.",
        "Consent is a thing " + "that goes on " * 10 + "for ever.",
        "Consent is a thing that <script> tags are part of.",
        "Consent is a `thing` that you sign with a pen.",
        "Consent is a thing that you sign with a pen",
        "Today, consent is a thing that you sign with a pen.",
        "Consent is a thing that you sign with a pen: look!",
    ],
)
def test_what_only_looks_like_one_is_not(sentence):
    assert definitions([sentence]) == {}


def test_the_first_definition_counts():
    first, second = "Triage is the sorting of patients by need.", "Triage is a quick look at every patient there."
    assert definitions([first, second]) == {"triage": first}


def test_a_model_writes_what_is_missing():
    seeds = (
        Seed(keyword="smoke alarm", category="a"),
        Seed(keyword="gas leak", category="a", provenance=FROM_A_FILE),
        Seed(keyword="triage", category="a", gloss="Known.", provenance=FROM_A_FILE),
    )
    lm = FakeLM({"gas leak": '"Gas leaks let a fuel escape that may burn."'}, name="fake/writer", revision="7")
    done = with_glosses(seeds, lm)
    assert [request.messages[-1]["content"] for request in lm.requests] == ["gas leak"]
    assert done[0] is seeds[0]
    assert done[2] is seeds[2]
    assert done[1].gloss == "Gas leaks let a fuel escape that may burn."
    assert done[1].provenance == FROM_A_FILE.model_copy(update={"gloss_source": "fake/writer@7"})


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "unknown",
        "A smell in the house is a reason to leave at once.",
        "A gas leak is bad.",
        "A gas leak is <b>a danger</b> to all in the house.",
        "A gas leak is a danger. Leave the house at once, all of you.",
        "A gas leak is " + "a danger and " * 60 + "bad.",
    ],
)
def test_a_reply_that_is_no_gloss_is_left_out(reply):
    seeds = (Seed(keyword="gas leak", category="a", provenance=FROM_A_FILE),)
    assert with_glosses(seeds, FakeLM({"gas leak": reply})) == seeds


def test_a_model_that_fails_leaves_the_gloss_empty():
    def fail(request, sample):
        raise RuntimeError("out of order")

    seeds = (Seed(keyword="gas leak", category="a", provenance=FROM_A_FILE),)
    assert with_glosses(seeds, FakeLM(fail)) == seeds
