import json

import pytest

from counterpoise.curation.gates import Gates, failed_gate
from counterpoise.curation.prompts import prompt
from counterpoise.curation.revise import Draft, Order, Parent, Revised, cleaned, drafts, prompt_name, revision
from counterpoise.curation.seeds import Seed, builtin_seeds
from counterpoise.lm.protocol import Completion

GRID = [(0.2, 0.8), (0.6, 0.95)]
PARENTS = [
    Parent(text_id="one", id="one", question="Why does ice float?", answer="Ice is lighter than water."),
    Parent(text_id="two", id="two/1-0.2-0.8", question="What costs $answer?", answer="Five ${hints} $$."),
]


def ordered(**changes) -> Order:
    return Order(**{"style": "extend", "both": False, "grid": GRID, "seed": 0, "max_tokens": 48, **changes})


def made(seeds: tuple[Seed, ...], parent: Parent = PARENTS[0], round: int = 1, **changes) -> list[Draft]:
    return drafts(parent, [seeds[:2], seeds[2:4]], round, ordered(**changes))


def test_one_draft_for_every_grid_point(seeds) -> None:
    both = [draft for parent in PARENTS for draft in made(seeds, parent)]
    assert [(draft.parent.id, draft.temperature, draft.top_p) for draft in both] == [
        (parent.id, *point) for parent in PARENTS for point in GRID
    ]
    assert len({draft.id for draft in both}) == len({draft.seed for draft in both}) == 4
    assert all((draft.request.temperature, draft.request.top_p) == (draft.temperature, draft.top_p) for draft in both)
    assert all(draft.request.seed == draft.seed and draft.request.max_tokens == 48 for draft in both)
    assert [draft.keywords for draft in both[:2]] == [
        tuple(seed.keyword for seed in part) for part in (seeds[:2], seeds[2:4])
    ]


@pytest.mark.parametrize("change", [{"seed": 1}, {"round": 2}])
def test_seed_and_round_give_other_draws(seeds, change) -> None:
    before, after = made(seeds), made(seeds, **change)
    assert all(one.seed != other.seed for one, other in zip(before, after, strict=True))


def test_a_hand_of_another_size_is_a_mistake(seeds) -> None:
    with pytest.raises(ValueError, match="zip"):
        drafts(PARENTS[0], [seeds[:1]], 1, ordered())


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("style", ["extend", "rewrite"])
def test_prompt_shows_text_keywords_and_meanings(seeds, style, both) -> None:
    for draft in made(seeds, PARENTS[1], style=style, both=both):
        messages = draft.request.messages
        last = messages[-1]
        assert last["role"] == "user"
        assert draft.parent.question in last["content"]
        assert draft.parent.answer in last["content"]
        assert " and ".join(draft.keywords) in last["content"]
        assert all(f"What {keyword} means." in last["content"] for keyword in draft.keywords)
        roles = [message["role"] for message in messages if message["role"] != "system"]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
        assert (draft.request.schema is not None) == both
        if both:
            for turn in messages:
                if turn["role"] == "assistant":
                    assert set(json.loads(turn["content"])) == {"question", "answer"}


def test_prompts_are_known_by_their_text() -> None:
    names = [prompt_name(style, both) for style in ("extend", "rewrite") for both in (False, True)]
    assert len({prompt(name).hash for name in names}) == 4
    assert len(prompt("extend").examples) == 2


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
    draft = made(seeds)[0]

    def answer(text: str) -> str:
        return revision(draft, Completion(text=text), ordered()).answer

    assert answer("Care helps. It does. Third.") == "Ice is lighter than water. Care helps. It does."
    assert answer("Care helps.\nMore.") == "Ice is lighter than water. Care helps."
    assert answer(" \n ") == ""
    bare = Parent(text_id="x", id="x", question="q", answer="a house")
    assert revision(made(seeds, bare)[0], Completion(text="Care helps."), ordered()) == (
        "q",
        "a house. Care helps.",
    )


def test_a_sentence_cut_at_the_limit_is_dropped(seeds) -> None:
    draft = made(seeds)[0]
    cut = Completion(text="Care helps. And then the", finish="length")
    assert revision(draft, cut, ordered()).answer == "Ice is lighter than water. Care helps."
    assert revision(draft, cut, ordered(style="rewrite")).answer == "Care helps."
    assert revision(draft, Completion(text="And then the", finish="length"), ordered()).answer == ""


def test_both_are_read_from_an_object(seeds) -> None:
    draft = made(seeds, both=True)[0]
    text = json.dumps({"question": "And what of care? More?", "answer": 'Answer: "Care helps."'})
    assert revision(draft, Completion(text=text), ordered(both=True)) == Revised(
        "Why does ice float? And what of care?", "Ice is lighter than water. Care helps."
    )
    assert revision(draft, Completion(text=text), ordered(both=True, style="rewrite")) == Revised(
        "And what of care? More?", "Care helps."
    )
    assert revision(draft, Completion(text='{"question": " ", "answer": "Fine."}'), ordered(both=True)).question == ""


@pytest.mark.parametrize(
    "text",
    ["", "[", "[1]", "null", '"text"', "{}", '{"question": "Q?"}', '{"question": 1, "answer": "a"}', "[" * 10_000],
)
def test_what_is_no_object_holds_nothing(seeds, text) -> None:
    draft = made(seeds, both=True)[0]
    for style in ("extend", "rewrite"):
        assert revision(draft, Completion(text=text), ordered(both=True, style=style)) == ("", "")


def test_an_echo_of_the_prompt_is_refused(seeds) -> None:
    draft = made(seeds)[0]
    examples = prompt("extend").examples
    echo = revision(draft, Completion(text=examples[1]), ordered()).answer
    assert failed_gate(echo, draft.parent.answer, [], Gates(), examples=examples) == "prompt_leak"


def test_builtin_keywords_pass_the_keyword_gate_in_their_own_gloss() -> None:
    """The gate must recognise a keyword in the form that the seed set itself uses."""
    seeds = builtin_seeds()
    missed = [
        seed.keyword
        for seed in seeds
        if seed.gloss and failed_gate(seed.gloss, "Something else.", [seed.keyword], Gates()) == "keyword"
    ]
    assert len(missed) < 0.05 * len(seeds), missed
