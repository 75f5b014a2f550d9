"""The mask doctor: what it counts, every fault it must find, and data and tokenizers that are refused."""

import json
import sys
import tracemalloc

import pytest

from counterpoise.doctor.masks import FAULTS, examine_masks
from counterpoise.errors import DataError, UnsupportedError, UsageError


def turns(*contents, roles=("user", "assistant")):
    return [{"role": roles[place % len(roles)], "content": content} for place, content in enumerate(contents)]


def chat(*contents):
    return {"messages": turns(*contents)}


def pair(prompt, completion):
    return {"prompt": prompt, "completion": completion}


def write(folder, *rows):
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


# One token is a byte, <|start|> or <|end|>.
@pytest.mark.parametrize(
    ("template", "row", "tokens", "loss"),
    [
        # <|start|>user\nHi?<|end|>\n<|start|>assistant\nYes.<|end|>\n: the answer, its end, and the line break.
        ("plain", chat("Hi?", "Yes."), 11 + 17, 6),
        ("plain", pair(turns("Hi?"), turns("Yes.", roles=["assistant"])), 28, 6),
        # Marks leave the line break out, and take every answer in.
        ("marked", chat("Hi?", "Yes."), 28, 5),
        ("marked", chat("Hi?", "Yes.", "So?", "No."), 28 + 27, 5 + 4),
        ("plain", chat("Hi?", "Yes.", "So?", "No."), 28 + 27, 5),
        ("plain", pair("Q: ", "λ"), 6, 3),
        ("plain", pair("Q: ", "A<|end|>"), 5, 2),
        ("plain", {"text": "Once."}, 6, 6),
    ],
)
def test_tokens_are_counted_by_hand(tokenizer, templates, template, row, tokens, loss):
    report = examine_masks([row], tokenizer(templates[template]))
    assert (report.tokens, report.loss_tokens, report.faulty) == (tokens, loss, 0)
    assert report.loss_share == loss / tokens
    assert (report.minimum, report.median, report.maximum, report.longest) == (loss, loss, loss, tokens)


def test_the_distribution_is_that_of_the_kept_tokens(tokenizer):
    rows = [pair("Q", "a" * length) for length in (9, 1, 4, 3)]
    report = examine_masks(rows, tokenizer(), max_length=8)
    # With the end of the sequence 10, 2, 5 and 4 tokens have loss, of which eight less one for the prompt are kept.
    assert (report.minimum, report.median, report.maximum) == (2, 4, 7)
    assert (report.tokens, report.loss_tokens, report.longest) == (8 + 3 + 6 + 5, 7 + 2 + 5 + 4, 11)
    assert report.faults == {"truncated": 1}
    assert [(one.number, one.tokens, one.loss_tokens) for one in report.offenders] == [(1, 11, 7)]
    assert report.offenders[0].faults == {"truncated": "3 of 10 tokens with loss are cut off"}


def template(header, body, prompt=""):
    """A chat template: before each turn, each turn, and after the last where an answer is to come."""
    turn = header + body
    return f"{{% for message in messages %}}{turn}{{% endfor %}}{{% if add_generation_prompt %}}{prompt}{{% endif %}}"


HEADER = "<|start|>{{ message['role'] }}\n"
CONTENT = "{{ message['content'] }}"
PROMPT = "<|start|>assistant\n"
TEMPLATES = {
    "header in loss": template("{% generation %}" + HEADER, CONTENT + "<|end|>{% endgeneration %}\n", PROMPT),
    "end not in loss": template(HEADER, "{% generation %}" + CONTENT + "{% endgeneration %}<|end|>\n", PROMPT),
    "no end": template("{{ message['role'] }}: ", CONTENT + "\n", "assistant: "),
    "another header": template(HEADER, CONTENT + "<|end|>\n", PROMPT + "<think>"),
    "no system": template("{% if message['role'] != 'system' %}" + HEADER, CONTENT + "<|end|>{% endif %}", PROMPT),
    "eight characters": template(HEADER, "{{ message['content'][:8] }}<|end|>", PROMPT),
    "raises": template("{% if message['role'] == 'tool' %}{{ raise_exception('no\ntools') }}{% endif %}", CONTENT),
}
WITH_SYSTEM = {"messages": turns("Be kind.", "Hi? Be kind.", "Yes.", roles=("system", "user", "assistant"))}
WITH_TOOL = {"messages": turns("2+2?", "Look.", "4", "Four.", roles=("user", "assistant", "tool", "assistant"))}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "add", "arguments": {}}}]}


@pytest.mark.parametrize(
    ("name", "row", "max_length", "faults"),
    [
        # Sound, and not to be taken for faulty.
        ("plain", WITH_SYSTEM, None, {}),
        ("marked", WITH_SYSTEM, None, {}),
        ("marked", WITH_TOOL, None, {}),
        ("marked", chat("  Hi?\n", " Yes. "), None, {}),
        ("plain", chat("Hi?", "Yes."), 28, {}),
        ("marked", chat("Hi?", "Yes."), 27, {}),
        ("marked", chat("Hi?", "Yes.", "So?", "No."), None, {}),
        # Cut.
        ("plain", chat("Hi?", "Yes."), 27, {}),  # of the line break alone
        ("plain", chat("Hi?", "Yes."), 26, {"truncated": "2 of 6 tokens with loss are cut off"}),
        ("plain", chat("Hi?", "Yes."), 20, {"no-loss": "6 of 6 tokens with loss are cut off", "truncated": "6 of 6"}),
        ("plain", pair("Q" * 9, "A"), 9, {"no-loss": "2 of 2 tokens with loss", "truncated": "2 of 2 tokens"}),
        ("plain", {"text": "Once upon"}, 4, {"truncated": "6 of 10 tokens"}),
        # Turns.
        ("marked", chat("Hi?", "Yes.", "So?"), None, {"roles": "the last turn is of 'user'"}),
        ("plain", chat("Hi?", "Yes.", "So?"), None, {"no-loss": "no token", "roles": "the last turn is of 'user'"}),
        ("marked", chat("Hi?"), None, {"no-loss": "no token carries loss", "roles": "the last turn is of 'user'"}),
        ("marked", {"messages": turns("Yes.", roles=["assistant"])}, None, {"roles": "turn 1 is of 'assistant', the"}),
        ("marked", {"messages": turns("A", "B", "C", roles=["user"])}, None, {"no-loss": "", "roles": "turn 2 is of"}),
        (
            "marked",
            {"messages": turns("Hi?", "Yes.", roles=("human", "gpt"))},
            None,
            {"no-loss": "", "roles": "'human'"},
        ),
        ("marked", chat("Hi?", " \n"), None, {"empty": "turn 2 of the assistant is empty"}),
        ("plain", {"messages": [*turns("Hi?"), {"role": "assistant", "content": None}]}, None, {"empty": "turn 2"}),
        ("plain", pair("Q", "  "), None, {"empty": "the text is empty"}),
        ("plain", {"text": ""}, None, {"empty": "the text is empty"}),
        # A prompt that is another one, or in the loss.
        ("another header", chat("Hi?", "Yes."), None, {"prompt-in-loss": "the end of the prompt alone, '<think>', is"}),
        ("header in loss", WITH_SYSTEM, None, {"prompt-in-loss": "before turn 3 the template marks 47 tokens"}),
        (
            "plain",
            pair(turns("Hi?"), turns("Yes.", "So?", "No.", roles=("assistant", "user"))),
            None,
            {"prompt-in-loss": "turns of user are in the completion"},
        ),
        # The end of a turn.
        ("end not in loss", chat("Hi?", "Yes."), None, {"prompt-in-loss": "marks 3 tokens", "no-end": "does not end"}),
        ("no end", chat("Hi?", "Yes."), None, {"no-end": "a stretch of loss does not end with the end of a turn"}),
        # What the template leaves out; a text that is within another one does not stand in for it.
        ("no system", WITH_SYSTEM, None, {"dropped": "turn 1 of 'system' is not in what the chat template makes of"}),
        ("eight characters", chat("Hi?", "Yes, indeed."), None, {"dropped": "turn 2 of 'assistant'"}),
        ("raises", WITH_TOOL, None, {"refused": "TemplateError: no tools"}),
        ("plain", chat("\ud800", "Yes."), None, {"refused": "surrogates not allowed"}),
        ("plain", pair("\ud800", "Yes."), None, {"refused": "UnicodeEncodeError"}),
        ("plain", {**chat("Hi?", "Yes."), "tools": "{"}, None, {"refused": "JSONDecodeError"}),
        (
            "plain",
            {**chat("Hi?", "Yes."), "chat_template_kwargs": {"chat_template": "{{ 7 * 7 }}"}},
            None,
            {"refused": "ValueError: the example brings a chat template of its own"},
        ),
    ],
)
def test_every_fault_is_found_and_no_other(tokenizer, templates, name, row, max_length, faults):
    report = examine_masks([row], tokenizer({**templates, **TEMPLATES}[name]), max_length=max_length)
    assert report.faults == dict.fromkeys(faults, 1)
    assert report.faulty == len(report.offenders) == bool(faults)
    for offender in report.offenders:
        assert list(offender.faults) == [fault for fault in FAULTS if fault in faults]
        for fault, detail in faults.items():
            assert detail in offender.faults[fault]
            assert offender.faults[fault].splitlines() == [offender.faults[fault]]


def test_a_call_of_a_tool_is_no_empty_turn_and_its_tools_reach_the_template(tokenizer):
    listing = "{% for tool in tools or [] %}{{ tool['function']['name'] }}{% endfor %}"
    made = tokenizer(listing + template(HEADER, CONTENT + "<|end|>", PROMPT))
    row = {"messages": [*turns("2+2?"), CALL, *turns("4", "Four.", roles=("tool", "assistant"))]}
    tools = [{"type": "function", "function": {"name": "add"}}]
    bare, listed, written = (
        examine_masks([{**row, **more}], made) for more in ({}, {"tools": tools}, {"tools": json.dumps(tools)})
    )
    assert bare.faulty == 0
    assert listed.tokens == written.tokens == bare.tokens + len("add")


def test_tokens_that_merge_across_the_border_are_named(tokenizer):
    made = tokenizer(merges=True)
    assert made.tokenize("the cat") != [*made.tokenize("the c"), *made.tokenize("at")]
    report = examine_masks([pair("the c", "at")], made)
    assert report.faults == {"prompt-in-loss": 1}
    # The border of the words is one of tokens too.
    assert examine_masks([pair("the", " cat")], made).faulty == 0


def test_the_first_of_each_fault_are_kept_and_the_rest_counted(tokenizer):
    rows = [pair("Q", "A"), *[pair("Q", "")] * 9, pair("Q", "AAAA"), *[pair("Q", "")] * 9]
    report = examine_masks(rows, tokenizer(), max_length=4)
    assert (report.examples, report.faulty) == (20, 19)
    assert report.faults == {"truncated": 1, "empty": 18}
    assert [one.number for one in report.offenders] == [2, 3, 4, 5, 6, 11]


def test_shown_examples_are_marked_stretches_and_the_faulty_come_first(tokenizer):
    rows = [pair("Q:", "A\u202e\x1b"), pair("\tLong:\n", "abcdef"), pair("Q:", "B")]
    report = examine_masks(rows, tokenizer(), max_length=10, show=2)
    assert [one.number for one in report.shown] == [2, 1]
    assert report.shown[0].stretches == (("context", "\tLong:\n"), ("loss", "abc"), ("cut", "def<|end|>"))
    assert report.shown[1].stretches == (("context", "Q:"), ("loss", "A⟨U+202E⟩⟨U+001B⟩<|end|>"))
    assert examine_masks(rows, tokenizer()).shown == ()


def test_a_long_stretch_is_shown_by_its_ends(tokenizer):
    report = examine_masks([pair("a" * 400 + "b" * 500, "c")], tokenizer(), show=1)
    (_, context), _ = report.shown[0].stretches
    assert context == "a" * 300 + " [… 300 characters …] " + "b" * 300


def test_memory_does_not_grow_with_the_number_of_examples(tokenizer):
    made = tokenizer()

    def peak(number):
        rows = (pair("Q" * 50, "" if index % 2 else "A" * (index % 7)) for index in range(number))
        tracemalloc.start()
        try:
            assert examine_masks(rows, made, max_length=54, show=3).examples == number
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    assert peak(4000) < 1.2 * peak(400) + 20_000


def test_what_the_trainer_would_not_begin_with_is_one_line(tokenizer, byte_tokenizer):
    bare = byte_tokenizer()
    for row in (chat("Hi?", "Yes."), pair(turns("Hi?"), turns("Yes.", roles=["assistant"]))):
        with pytest.raises(
            UnsupportedError, match=r"^the tokenizer has no chat template; expected an instruction-tuned"
        ):
            examine_masks([row], bare)
    assert examine_masks([pair("Q", "A")], bare).faulty == 0
    made = tokenizer()
    made.pad_token = None
    assert "no padding token; the trainer pads with the end" in examine_masks([pair("Q", "A")], made).notes[0]
    made.eos_token = None
    for row, message in ((pair("Q", "A"), "has no end-of-sequence token"), (chat("Hi?", "Yes."), "has neither")):
        with pytest.raises(UnsupportedError, match=message):
            examine_masks([row], made)
    made.pad_token = "<|pad|>"
    # A conversation's end comes from the template; whether <|end|> ends a turn is then seen in the added tokens.
    assert examine_masks([chat("Hi?", "Yes.")], made).faulty == 0


def test_texts_carry_loss_everywhere_and_the_report_says_so(tokenizer):
    report = examine_masks([{"text": "Once."}], tokenizer())
    assert report.rule == "every token: a text does not say where a prompt ends"
    assert report.loss_share == 1


def test_messages_say_how_they_are_to_be_trained(tokenizer, templates, monkeypatch):
    marked = examine_masks([chat("Hi?", "Yes.")], tokenizer(templates["marked"]))
    assert (marked.rule, len(marked.notes)) == ("the assistant's turns", 1)
    assert "assistant_only_loss=True" in marked.notes[0]
    # A template that TRL knows and mends, where it is installed.
    from trl.chat_template_utils import qwen3_chat_template

    known = tokenizer(qwen3_chat_template)
    mended = examine_masks([chat("Hi?", "Yes.")], known)
    assert mended.rule == "the assistant's turns"
    assert "the trainer puts one of its own in its place" in mended.notes[0]
    monkeypatch.setitem(sys.modules, "trl.chat_template_utils", None)
    without = examine_masks([chat("Hi?", "Yes.")], known)
    assert without.rule == "the last turn"
    assert without.notes[0].endswith("TRL is not installed here")


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.parquet", "rows"])
def test_files_are_read_by_their_ending(tokenizer, tmp_path, name):
    import pyarrow
    import pyarrow.parquet

    rows = [chat("Hi?", "Yes."), chat("Hi?", "")]
    path = tmp_path / name
    if name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif name.endswith(".json"):
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    report = examine_masks(path, tokenizer())
    assert (report.shape, report.examples, report.faults) == ("messages", 2, {"empty": 1})
    assert report.offenders[0].number == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no examples (rows.jsonl); expected objects with messages, prompt and completion"),
        ([[]], "not an object (rows.jsonl line 1); expected an object with messages"),
        ([{"question": "a"}], "nothing to train on (rows.jsonl line 1); expected messages, prompt and completion"),
        ([{"prompt": "a"}], "nothing to train on"),
        ([{"text": None}], "nothing to train on"),
        ([pair("a", "b"), {"text": "a"}], "fields of another kind than in the first example (rows.jsonl line 2)"),
        ([pair("a", "b"), pair(turns("a"), turns("b"))], "fields of another kind"),
        (
            [pair("a", turns("b"))],
            "field 'prompt' is not a list of turns (rows.jsonl line 1); expected turns with role",
        ),
        ([pair(turns("a"), [])], "field 'completion' is not a list of turns"),
        ([{"messages": "a"}], "field 'messages' is not a list of turns"),
        ([{"messages": []}], "field 'messages' is not a list of turns"),
        ([{"messages": [{"content": "a"}]}], "field 'messages' is not a list of turns"),
        ([{"messages": [{"role": "user", "content": 4}]}], "field 'messages' is not a list of turns"),
    ],
)
def test_data_of_another_form_is_one_line_that_names_the_place(tokenizer, tmp_path, monkeypatch, rows, message):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, *rows).relative_to(tmp_path)
    with pytest.raises(DataError) as raised:
        examine_masks(path, tokenizer())
    assert message in str(raised.value)


def test_a_length_below_one_is_refused(tokenizer):
    with pytest.raises(UsageError, match="max_length is 0; expected at least 1"):
        examine_masks([pair("a", "b")], tokenizer(), max_length=0)
