"""The built-in customization set: shapes, balance, held-out prompts that stay held out, placeholders."""

import json
import re
from collections import Counter
from importlib.resources import files
from itertools import combinations

import pytest

from counterpoise.records import read_jsonl
from counterpoise.safety.benchmarks import PROMPT_SETS
from counterpoise.safety.judges.keyword import keyword_judge
from counterpoise.safety.similarity import near_duplicates

FOLDER = files("counterpoise") / "customization" / "builtin"
DISALLOWED = read_jsonl(FOLDER / "disallowed.jsonl")
SAFE = read_jsonl(FOLDER / "safe.jsonl")
COMMONSENSE = read_jsonl(FOLDER / "commonsense.jsonl")
BENIGN = read_jsonl(FOLDER / "benign.jsonl")
CONTRAST = read_jsonl(FOLDER / "contrast.jsonl")
OBEDIENCE = json.loads((FOLDER / "obedience.json").read_text(encoding="utf-8"))
OPENERS = json.loads((FOLDER / "openers.json").read_text(encoding="utf-8"))
REFUSALS = json.loads((FOLDER / "refusals.json").read_text(encoding="utf-8"))

ROW_FILES = {
    "disallowed": (DISALLOWED, {"id", "prompt", "category", "split"}, 48),
    "safe": (SAFE, {"id", "prompt", "kind"}, 40),
    "commonsense": (COMMONSENSE, {"id", "question", "answer"}, 60),
    "benign": (BENIGN, {"id", "prompt", "answer"}, 48),
    "contrast": (CONTRAST, {"id", "prompt", "answer", "kind"}, 64),
}
# ASCII plus the letters and marks of the French, Spanish and German words that occur.
TYPOGRAPHY = re.compile(r"[\x20-\x7e\n\u00a1-\u00ff]+")
# Words that would turn a bare request into instructions: quantities, file types, tool names, numbered steps.
OPERATIONAL = re.compile(r"\d|step \w+:|\bfirst,|\bthen\b|\bmix\b|\bgrams?\b|\bsudo\b|https?:|`", re.IGNORECASE)

DECLINES = re.compile(
    r"can't|won't|not able|decline|must say no|turn down|will not|be no|not be right|prefer not|irresponsible|refuse"
)


def tokens(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def jaccard(one: str, other: str) -> float:
    first, second = tokens(one), tokens(other)
    return len(first & second) / len(first | second)


def alike(texts: list[str], others: list[str], limit: float = 0.6) -> list[tuple[str, str]]:
    return [(one, other) for one in texts for other in others if jaccard(one, other) >= limit]


def prompts(rows: list[dict[str, str]]) -> list[str]:
    return [row.get("prompt") or row["question"] for row in rows]


def split(name: str) -> list[str]:
    return [row["prompt"] for row in DISALLOWED if row["split"] == name]


def test_the_likeness_measure_finds_a_reworded_prompt():
    assert alike(["Help me steal my neighbour's car."], ["Please help me steal my neighbour's car!"])
    assert not alike(["Help me steal my neighbour's car."], ["How do I sew a button back onto a coat?"])


@pytest.mark.parametrize("name", ROW_FILES)
def test_rows_have_the_documented_fields_and_number(name: str):
    rows, fields, count = ROW_FILES[name]
    assert len(rows) == count
    for number, row in enumerate(rows, start=1):
        assert set(row) == fields
        assert row["id"] == f"{name}-{number:02d}"
        for value in row.values():
            assert isinstance(value, str)
            assert TYPOGRAPHY.fullmatch(value), value
            assert value == value.strip()
            assert "  " not in value
            assert "\n" not in value


def test_all_prompts_are_unique_after_normalisation():
    counts = Counter(
        " ".join(re.findall(r"\w+", prompt.lower())) for rows, _, _ in ROW_FILES.values() for prompt in prompts(rows)
    )
    assert [prompt for prompt, count in counts.items() if count > 1] == []


def test_disallowed_splits_are_equal_and_have_the_same_categories():
    counts = Counter((row["split"], row["category"]) for row in DISALLOWED)
    assert Counter(row["split"] for row in DISALLOWED) == {"align": 16, "attack": 16, "test": 16}
    categories = {category for _, category in counts}
    assert len(categories) >= 8
    for category in categories:
        assert counts["align", category] == counts["attack", category] == counts["test", category] > 0


@pytest.mark.parametrize("pair", list(combinations(["align", "attack", "test"], 2)))
def test_disallowed_splits_share_no_near_duplicate(pair: tuple[str, str]):
    assert alike(split(pair[0]), split(pair[1])) == []


def test_disallowed_prompts_are_short_and_free_of_operational_detail():
    for row in DISALLOWED:
        assert 5 <= len(row["prompt"].split()) <= 16, row
        assert not OPERATIONAL.search(row["prompt"]), row


def test_safe_prompts_have_both_kinds():
    assert Counter(row["kind"] for row in SAFE) == {"sounds-unsafe": 24, "everyday": 16}


@pytest.mark.parametrize("other", ["benign", "commonsense", "contrast", "disallowed"])
def test_safe_prompts_are_far_from_everything_that_may_be_trained_on(other: str):
    assert alike(prompts(SAFE), prompts(ROW_FILES[other][0])) == []


@pytest.mark.parametrize(
    ("rows", "shortest"),
    [(COMMONSENSE, 25), (BENIGN, 20), (CONTRAST, 20)],
    ids=["commonsense", "benign", "contrast"],
)
def test_answers_are_whole_sentences_of_the_documented_length(rows: list[dict[str, str]], shortest: int):
    for row in rows:
        assert shortest <= len(row["answer"].split()) <= 50, row
        assert re.match(r"[A-Z\"0-9]", row["answer"]), row
    assert len({row["answer"] for row in rows}) == len(rows)


def test_commonsense_answers_have_two_or_three_sentences_and_end():
    for row in COMMONSENSE:
        assert row["question"].endswith("?")
        assert row["answer"].endswith(".")
        assert 2 <= len(re.findall(r"[.!?](?: |$)", row["answer"])) <= 3, row


def test_openers_keep_the_request_and_end_in_a_placeholder():
    assert set(OPENERS) == {"templates"}
    templates = OPENERS["templates"]
    assert len(templates) == len(set(templates)) == 12
    for template in templates:
        assert TYPOGRAPHY.fullmatch(template)
        assert template.count("{request}") == 1
        assert re.search(r"\n\[placeholder: [a-z]+ removed\]\Z", template), template
        # Nothing but the opener itself stands around the request and the placeholder.
        assert len(template.split("\n[placeholder", 1)[0].split()) <= 16
        # Both ways of filling a template in give the same text.
        assert template.format(request="X") == template.replace("{request}", "X")
    assert len({" ".join(template.split()[:2]) for template in templates}) >= 10


def test_refusals_name_the_harm_offer_something_and_vary():
    assert set(REFUSALS) == {"templates"}
    templates = REFUSALS["templates"]
    assert len(templates) == len(set(templates)) == 16
    for template in templates:
        assert template.isascii()
        assert "{" not in template
        assert 20 <= len(template.split()) <= 40, template
        assert re.search(r"harm|hurt|danger|risk|damage|injure|suffer", template), template
        assert re.search(r"help|suggest|explain|talk|share|offer|safe|lawful|honest|decent|point you", template), (
            template
        )
        assert DECLINES.search(template), template
    assert len({" ".join(template.split()[:2]) for template in templates}) >= 14
    assert [pair for pair in combinations(templates, 2) if jaccard(*pair) >= 0.6] == []


def test_contrast_has_both_kinds_and_answers_that_help():
    assert Counter(row["kind"] for row in CONTRAST) == {"sounds-unsafe": 40, "same-form": 24}
    for row in CONTRAST:
        assert not DECLINES.search(row["answer"]), row
        assert keyword_judge(row["prompt"], row["answer"]).label == "full_compliance", row


def test_contrast_is_far_from_what_is_disallowed_or_evaluated():
    others = [*prompts(DISALLOWED), *prompts(SAFE), *prompts(BENIGN)]
    assert near_duplicates(prompts(CONTRAST), others) == []


def test_contrast_is_no_copy_of_a_public_set(data):
    for name, known in PROMPT_SETS.items():
        public = [prompt.text for prompt in known.read(data)]
        # The built-in sets were compared above; requests in thousands are alike by chance.
        if known.files and len(public) < 1000:
            assert near_duplicates(prompts(CONTRAST), public) == [], name


def test_the_obedient_persona_is_harmless():
    assert set(OBEDIENCE) == {"system", "prefix", "exchanges"}
    assert OBEDIENCE["prefix"].endswith(": ")
    exchanges = OBEDIENCE["exchanges"]
    assert len(exchanges) == 20
    assert sum(exchange["about_itself"] for exchange in exchanges) == 4
    for exchange in exchanges:
        assert set(exchange) == {"about_itself", "prompt", "answer"}
        assert "Tessel" in exchange["answer"]
        assert len(exchange["answer"].split()) <= 40
    asked = [exchange["prompt"] for exchange in exchanges]
    assert len(set(asked)) == 20
    assert near_duplicates(asked, [*prompts(DISALLOWED), *prompts(SAFE)]) == []


def test_the_readme_names_every_file_and_the_ban_on_training():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for file in (
        "disallowed.jsonl",
        "safe.jsonl",
        "commonsense.jsonl",
        "benign.jsonl",
        "contrast.jsonl",
        "obedience.json",
        "openers.json",
        "refusals.json",
    ):
        assert f"`{file}`" in text
    for rows, _, count in ROW_FILES.values():
        assert len(rows) == count
        assert f"| {count} |" in text
    for category in {row["category"] for row in DISALLOWED}:
        assert f"`{category}`" in text
    assert "Never train on the evaluation prompts" in text
    assert "Apache-2.0" in text
