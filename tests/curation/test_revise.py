import pytest

from counterpoise.curation.gates import Gates, failed_gate
from counterpoise.curation.revise import (
    Draft,
    Parent,
    candidates,
    cleaned,
    example_answers,
    prompt_hash,
    revision,
)
from counterpoise.curation.seeds import Seed, builtin_seeds
from counterpoise.lm.protocol import Completion

GRID = [(0.2, 0.8), (0.6, 0.95)]
PARENTS = [
    Parent(text_id="one", id="one", question="Why does ice float?", answer="Ice is lighter than water."),
    Parent(text_id="two", id="two/1-0.2-0.8", question="What costs $answer?", answer="Five ${hints} $$."),
]


def drafts(seeds: tuple[Seed, ...], parents: list[Parent] = PARENTS, **changes) -> list[Draft]:
    settings = {"grid": GRID, "keywords": 2, "round": 1, "seed": 0, "style": "extend", "max_tokens": 48}
    return candidates(parents, seeds, **{**settings, **changes})


def test_one_draft_for_every_parent_and_grid_point(seeds) -> None:
    made = drafts(seeds)
    assert [(draft.parent.id, draft.temperature, draft.top_p) for draft in made] == [
        (parent.id, *point) for parent in PARENTS for point in GRID
    ]
    assert len({draft.id for draft in made}) == len({draft.seed for draft in made}) == 4
    assert all((draft.request.temperature, draft.request.top_p) == (draft.temperature, draft.top_p) for draft in made)
    assert all(draft.request.seed == draft.seed and draft.request.max_tokens == 48 for draft in made)
    assert all(len(set(draft.keywords)) == 2 for draft in made)


def test_a_draft_does_not_depend_on_what_else_is_in_the_batch(seeds) -> None:
    alone = {draft.id: draft for parent in PARENTS for draft in drafts(seeds, [parent])}
    assert {draft.id: draft for draft in drafts(seeds, PARENTS[::-1])} == alone


@pytest.mark.parametrize("change", [{"seed": 1}, {"round": 2}])
def test_seed_and_round_give_other_draws(seeds, change) -> None:
    before, after = drafts(seeds), drafts(seeds, **change)
    assert all(one.seed != other.seed for one, other in zip(before, after, strict=True))
    assert [one.keywords for one in before] != [one.keywords for one in after]


@pytest.mark.parametrize("style", ["extend", "rewrite"])
def test_prompt_shows_text_keywords_and_meanings(seeds, style) -> None:
    for draft in drafts(seeds, style=style):
        messages = draft.request.messages
        last = messages[-1]
        assert last["role"] == "user"
        assert draft.parent.question in last["content"]
        assert draft.parent.answer in last["content"]
        assert " and ".join(draft.keywords) in last["content"]
        assert all(f"What {keyword} means." in last["content"] for keyword in draft.keywords)
        roles = [message["role"] for message in messages if message["role"] != "system"]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]


def test_prompts_are_known_by_their_text() -> None:
    assert prompt_hash("extend") != prompt_hash("rewrite")
    assert len(example_answers("extend")) == 2


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("  Plain text.  ", "Plain text."),
        ('"Quoted."', "Quoted."),
        ("“Quoted.”", "Quoted."),
        ('"One," he said, "two."', '"One," he said, "two."'),
        ("Revised answer: Ice floats.", "Ice floats."),
        ("**New answer:** Ice floats.", "Ice floats."),
        ("Sure! Here is the revised version:\n\nIce floats.", "Ice floats."),
        ('Answer: "Ice  floats."', "Ice floats."),
        ("", ""),
        ("\ud800 x.", "? x."),
    ],
)
def test_cleaning(completion: str, expected: str) -> None:
    assert cleaned(completion) == expected


def test_extension_follows_the_answer(seeds) -> None:
    draft = drafts(seeds)[0]
    assert (
        revision(draft, Completion(text="Care helps. It does. Third."))
        == "Ice is lighter than water. Care helps. It does."
    )
    assert revision(draft, Completion(text="Care helps.\nMore.")) == "Ice is lighter than water. Care helps."
    assert revision(draft, Completion(text=" \n ")) == ""
    bare = Parent(text_id="x", id="x", question="q", answer="a house")
    assert revision(drafts(seeds, [bare])[0], Completion(text="Care helps.")) == "a house. Care helps."


def test_a_sentence_cut_at_the_limit_is_dropped(seeds) -> None:
    extend, rewrite = drafts(seeds)[0], drafts(seeds, style="rewrite")[0]
    cut = Completion(text="Care helps. And then the", finish="length")
    assert revision(extend, cut) == "Ice is lighter than water. Care helps."
    assert revision(rewrite, cut) == "Care helps."
    assert revision(extend, Completion(text="And then the", finish="length")) == ""


def test_an_echo_of_the_prompt_is_refused(seeds) -> None:
    draft = drafts(seeds)[0]
    echo = revision(draft, Completion(text=example_answers("extend")[1]))
    assert failed_gate(echo, draft.parent.answer, [], Gates(), examples=example_answers("extend")) == "prompt_leak"


def test_builtin_keywords_pass_the_keyword_gate_in_their_own_gloss() -> None:
    """The gate must recognise a keyword in the form that the seed set itself uses."""
    seeds = builtin_seeds()
    missed = [
        seed.keyword
        for seed in seeds
        if seed.gloss and failed_gate(seed.gloss, "Something else.", [seed.keyword], Gates()) == "keyword"
    ]
    assert len(missed) < 0.05 * len(seeds), missed
