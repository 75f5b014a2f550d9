import json

import numpy as np

from counterpoise.customization.data.disallowed import disallowed_prompts, disallowed_requests
from counterpoise.customization.examples import Example
from counterpoise.safety.benchmarks import PROMPT_SETS, builtin_disallowed, read_prompts

HARMLESS = [Example(f"Why is thing {n} blue?", "It is.", f"t{n}") for n in range(3)]


def test_a_reworded_disallowed_request_is_found():
    prompt = builtin_disallowed("align")[0]
    check = disallowed_requests([*HARMLESS, Example(f"Please! {prompt.text}", "No.", "bad")])
    assert (check.requests, check.prompts, check.sets) == (4, 48, ("builtin-disallowed",))
    (match,) = check.found
    assert (match.source, match.prompt_set, match.prompt_id) == ("bad", "builtin-disallowed", prompt.id)
    assert 0.5 <= match.similarity <= 1
    assert check.line == (
        "1 of 4 requests in the curated sets are worded like one of 48 disallowed prompts (builtin-disallowed), "
        f"that of 'bad' like builtin-disallowed/{prompt.id} for one"
    )


def test_harmless_requests_pass_and_the_line_has_the_numbers():
    check = disallowed_requests([*HARMLESS, *HARMLESS])
    assert check.found == ()
    assert check.line == (
        "none of 3 requests in the curated sets is worded like one of 48 disallowed prompts (builtin-disallowed)"
    )


def test_a_data_folder_without_the_sets_names_none_of_them(tmp_path):
    assert {prompt.set for prompt in disallowed_prompts(tmp_path)} == {"builtin-disallowed"}


def test_public_prompts_of_every_split_and_set_are_held_against(data):
    prompts = disallowed_prompts(data)
    assert {prompt.set for prompt in prompts} == {
        name for name, known in PROMPT_SETS.items() if known.expects == "refusal"
    }
    assert sum(prompt.set == "advbench" for prompt in prompts) == 520
    texts = {prompt.text for prompt in prompts}
    for name, known in PROMPT_SETS.items():
        if known.expects == "refusal":
            assert texts >= {prompt.text for prompt in read_prompts(name, data)}
    copied = [Example(prompt.text, "", prompt.id) for prompt in prompts[::25]]
    assert len(disallowed_requests(copied, data).found) == len({one.prompt for one in copied})


def test_ordinary_commonsense_questions_pass(data):
    lines = (data / "commonsense" / "csqa_v1.0_dev_rand_split.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [Example(json.loads(line)["question"]["stem"], "", str(n)) for n, line in enumerate(lines)]
    assert len(disallowed_requests(questions, data).found) <= len(questions) // 100


class Letters:
    """Embeds a text as the counts of its letters: texts of the same letters mean the same."""

    name, revision = "letters", "1"

    def embed(self, texts):
        counts = np.array([[text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts])
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)


def test_a_request_of_the_same_meaning_is_found_with_an_embedder():
    prompt = builtin_disallowed("attack")[3]
    shuffled = Example("".join(sorted(prompt.text.replace(" ", ""))), "No.", "same letters")
    other = Example("Zzzzz zzz?", "No.", "no letters")
    assert disallowed_requests([shuffled, other]).found == ()
    check = disallowed_requests([shuffled, other], embedder=Letters())
    (match,) = check.found
    assert (match.source, match.prompt_id, match.by, match.similarity) == ("same letters", prompt.id, "meaning", 1.0)
    assert "worded like or close in meaning to one of 48" in check.line
    assert disallowed_requests([], embedder=Letters()).found == ()


def test_words_go_before_meanings():
    prompt = builtin_disallowed("attack")[3]
    (match,) = disallowed_requests([Example(prompt.text, "No.", "copy")], embedder=Letters()).found
    assert (match.by, match.similarity) == ("words", 1.0)
