import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.parse import clean, parse
from counterpoise.counterfactual.parse.tolerant_json import read_values
from counterpoise.counterfactual.score import score
from counterpoise.counterfactual.stages import gold_answer, render

STAGES = list(Stage)
LEVER = {"name": "lever", "role": "exposure", "value": "pulled"}
BOAT = {"name": "boat", "role": "outcome", "value": None}


def test_what_is_rendered_is_read_back(item):
    case, stage = item
    gold = gold_answer(case, stage)
    for text in (
        render(stage, gold),
        f"Sure! Here it is:\n```json\n{render(stage, gold)}\n```\nI hope that helps.",
        json.dumps({"reasoning": 'It says "{x}" [so].', **json.loads(render(stage, gold))}, indent=4),
        repr(json.loads(render(stage, gold))),
    ):
        parsed = parse(case, stage, text)
        assert (parsed.status, parsed.answer, parsed.reason) == ("ok", gold, None)


ABDUCTIONS = [
    '{"values": [{"variable": "guest", "value": "undetermined"}, {"variable": "bulb", "value": "whole"}]}',
    '{"values": {"guest": "undetermined", "The bulb": "whole"}}',
    '{"guest": "undetermined", "bulb": "whole"}',
    "- guest: undetermined\n- bulb: whole",
    "guest = undetermined\nbulb = whole",
]


@pytest.mark.parametrize("text", ABDUCTIONS)
def test_unseen_causes_are_read_from_many_forms(lamp, text):
    assert parse(lamp, Stage.ABDUCTION, text).answer == {"guest": "undetermined", "bulb": "whole"}


OWN = ["the crank", "sluice", "the sluice", "state of the lock"]


def test_own_names_are_known_and_never_become_gold_names(gate):
    assert parse(gate, Stage.OUTCOME, '{"values": {"The Crank": "up"}}', names=OWN).answer == {"the crank": "up"}
    # "state of the lock" is another name of the gold's "lock".
    text = '{"values": [{"variable": "State of the lock", "value": "shut"}]}'
    assert parse(gate, Stage.OUTCOME, text, names=OWN).answer == {"state of the lock": "shut"}
    assert parse(gate, Stage.OUTCOME, text).answer == {"lock": "shut"}
    # Written as the model wrote it, a name that it was not given stays what it is.
    text = '{"intervention": [{"variable": "The lever", "value": "down"}]}'
    assert parse(gate, Stage.INTERVENTION, text, names=OWN).answer == {"The lever": "down"}
    assert parse(gate, Stage.INTERVENTION, text).answer == {"lever": "down"}
    for stage in (Stage.INTERVENTION, Stage.OUTCOME):
        for text in ('{"lever": "down", "lock": "shut"}', "lever = down", "lock: shut"):
            assert parse(gate, stage, text, names=OWN).status == "parse_failed"
            assert parse(gate, stage, text, names=[]).status == "parse_failed"


def test_own_names_of_one_spelling_stay_two_variables(gate):
    text = '{"values": {"sluice": "open", "the sluice": "shut"}}'
    assert parse(gate, Stage.OUTCOME, text, names=OWN).answer == {"sluice": "open", "the sluice": "shut"}
    assert parse(gate, Stage.OUTCOME, '{"The Sluice": "shut"}', names=OWN).answer == {"sluice": "shut"}
    # Names without a letter or digit have no spelling in common.
    assert parse(gate, Stage.OUTCOME, '{"★": "1", "♦": "2"}', names=["★", "♦"]).answer == {"★": "1", "♦": "2"}
    assert parse(gate, Stage.OUTCOME, '{"♥": "1"}', names=["★"]).status == "parse_failed"


def test_a_single_edge_as_a_pair_needs_names_of_the_prompt(gate):
    assert parse(gate, Stage.GRAPH, '["The crank", "sluice"]', names=OWN).answer == [["The crank", "sluice"]]
    assert parse(gate, Stage.GRAPH, '["lever", "lock"]', names=OWN).status == "parse_failed"
    assert parse(gate, Stage.GRAPH, '["lever", "lock"]').answer == [["lever", "lock"]]


def test_gold_has_no_influence_on_what_own_names_say(gate):
    other = gate.model_copy(
        update={"variables": tuple(v.model_copy(update={"name": f"secret {v.name}"}) for v in gate.variables)}
    )
    for stage, texts in {Stage.GRAPH: EDGES, Stage.OUTCOME: ['{"crank": "up", "lock": "shut"}', "crank = up"]}.items():
        for text in texts:
            assert parse(gate, stage, text, names=OWN) == parse(other, stage, text, names=OWN)


def test_names_and_values_are_one_line(gate):
    text = json.dumps({"variables": [{"name": " the\n crank\t", "role": "exposure", "value": "turned \n\n Task:"}]})
    assert parse(gate, Stage.VARIABLES, text).answer == [
        {"name": "the crank", "role": "exposure", "value": "turned Task:"}
    ]


@pytest.mark.parametrize(
    "text", ["<think>{0}</think>\n{1}", "{0}\n</thinking>{1}<|im_end|>", "<think>\n{0}</think>{1}</s>"]
)
def test_thoughts_are_not_read(gate, text):
    first, last = render(Stage.OUTCOME, {"lock": "open"}), render(Stage.OUTCOME, {"boat": "moored"})
    assert parse(gate, Stage.OUTCOME, text.replace("{0}", first).replace("{1}", last)).answer == {"boat": "moored"}


def test_thoughts_that_were_cut_off_are_no_answer(gate):
    for stage in gate.stages:
        parsed = parse(gate, stage, "<think>\nThe answer is B. " + render(stage, gold_answer(gate, stage)))
        assert parsed.status == "parse_failed"
        assert parsed.reason == "the completion holds nothing but thoughts"


VARIABLES = [
    '{"variables": [{"name": "lever", "role": "exposure", "value": "pulled"}, {"name": "boat", "role": "outcome"}]}',
    '[{"Variable": "lever", "Causal Role": "Treatment", "factual_value": "pulled"}, '
    '{"var": "boat", "type": "OUTCOME"}]',
    '{"name": "lever", "role": "exposure", "value": "pulled"}\n{"name": "boat", "role": "outcome", "value": ""}',
    "{'variables': [{'name': 'lever', 'role': 'exposure', 'value': 'pulled',}, {'name': 'boat', 'role': 'outcome'}]}",
    "{variables: [{name: lever, role: exposure, value: pulled}, {name: boat, role: outcome, value: null}]}",
    '{"exposure": {"lever": "pulled"}, "outcome": ["boat"], "mediator": []}',
    '{"variables": {"exposure": [{"name": "lever", "value": "pulled"}], "outcomes": "boat"}}',
    '{"variables": {"lever": {"role": "exposure", "value": "pulled"}, "boat": {"role": "outcome"}}}',
    '{"variables": [{"name": "lever", "role": "exposure", "value": "pulled"}, {"name": "boat", "role": "outcome", '
    '"value": "N/A"}, {"name": "lo',
    '{"variables": [{"name": "...", "role": "...", "value": "..."}]} So: {"variables": [{"name": "lever", "role": '
    '"exposure", "value": "pulled"}, {"name": "boat", "role": "outcome", "value": "none"}]}',
    "“”{“variables”: [{“name”: “lever”, “role”: “exposure”, “value”: “pulled”}, {“name”: “boat”, “role”: “outcome”}]}",
]


@pytest.mark.parametrize("text", VARIABLES)
def test_variables_are_read_from_many_forms(gate, text):
    parsed = parse(gate, Stage.VARIABLES, text)
    assert (parsed.status, parsed.answer) == ("ok", [LEVER, BOAT])


EDGES = [
    '{"edges": [{"cause": "lever", "effect": "lock"}, {"cause": "lock", "effect": "boat"}]}',
    '{"edges": [["lever", "lock"], ["lock", "boat"]]}',
    '[["lever", "lock"], ["lock", "boat"], ["lever", "lock"]]',
    '{"graph": {"edges": [{"from": "lever", "to": "lock"}, {"source": "lock", "target": "boat"}]}}',
    '{"edges": ["lever -> lock", "lock → boat"]}',
    '{"edges": "lever -> lock -> boat"}',
    '{"edges": {"lever": ["lock"], "lock": ["boat"]}}',
    "The edges are:\n- lever -> lock\n- lock --> boat\n",
    '{"edges": [{"cause": "lever", "effect": "lock"}, {"cause": "lock", "effect": "boat"}, {"cause": "bell", "eff',
    "[('lever', 'lock')]".replace("(", "[").replace(")", "]") + " [['lever', 'lock'], ['lock', 'boat']]",
]


@pytest.mark.parametrize("text", EDGES)
def test_edges_are_read_from_many_forms(gate, text):
    parsed = parse(gate, Stage.GRAPH, text)
    assert (parsed.status, parsed.answer) == ("ok", [["lever", "lock"], ["lock", "boat"]])


def test_an_empty_list_of_edges_is_an_answer_and_other_empty_lists_are_not(gate):
    assert parse(gate, Stage.GRAPH, '{"edges": []}').answer == []
    assert parse(gate, Stage.GRAPH, "[]").status == "parse_failed"
    assert parse(gate, Stage.GRAPH, '{"nodes": []}').status == "parse_failed"
    assert parse(gate, Stage.VARIABLES, '{"variables": []}').status == "parse_failed"


@pytest.mark.parametrize(
    "text",
    [
        '{"intervention": [{"variable": "lever", "value": "not pulled"}]}',
        '{"intervention": {"variable": "lever", "value": "not pulled"}}',
        '{"variable": "The lever", "new value": "not pulled"}',
        '{"do": {"lever": "not pulled"}}',
        "do(lever = not pulled)",
        "lever = not pulled",
        '{"intervention": ["lever: not pulled"]}',
    ],
)
def test_interventions_are_read_from_many_forms(gate, text):
    assert parse(gate, Stage.INTERVENTION, text).answer == {"lever": "not pulled"}


@pytest.mark.parametrize(
    "text",
    [
        '{"values": [{"variable": "lock", "value": "closed"}, {"variable": "boat", "value": "moored"}]}',
        '{"values": {"lock": "closed", "boat": "moored"}}',
        '{"mediators": {"lock": "closed"}, "outcome": {"boat": "moored"}}',
        '{"mediator": {"variable": "lock", "value": "closed"}, "outcome": {"variable": "boat", "value": "moored"}}',
        '{"lock": "closed", "The boat": "moored", "reasoning": "..."}',
        "- lock: closed\n- boat: moored",
        "lock = closed\nboat = moored",
    ],
)
def test_outcomes_are_read_from_many_forms(gate, text):
    assert parse(gate, Stage.OUTCOME, text).answer == {"lock": "closed", "boat": "moored"}


def test_a_variable_with_two_values_has_none(gate):
    text = json.dumps(
        {
            "values": [
                {"variable": "lock", "value": "closed"},
                {"variable": "lock", "value": "open"},
                {"variable": "boat", "value": "moored"},
                {"variable": "the boat", "value": "Moored."},
            ]
        }
    )
    assert parse(gate, Stage.OUTCOME, text).answer == {"boat": "moored"}


CHOICES = {
    "B": "B",
    "b": "B",
    "(B)": "B",
    "B.": "B",
    "**B**": "B",
    "B) The boat would have stayed.": "B",
    "Option B": "B",
    '{"answer": "B"}': "B",
    '{"answer": "B. The boat would have stayed."}': "B",
    '{"Answer": "(b)"}': "B",
    '{"answer": ["B"]}': "B",
    '{"answer": {"option": "B"}}': "B",
    '{"reasoning": "The answer is not A.", "answer": "B"}': "B",
    '{"answer": "The boat would have stayed."}': "B",
    '{"answer": "the boat would have stayed"}': "B",
    "The boat would have stayed.": "B",
    "The answer is B.": "B",
    "The correct answer is (B) because A is wrong.": "B",
    "Answer: B": "B",
    "The answer is: that is not possible.": "C",
    "It might be A. But the answer is B. Final answer: B": "B",
    "The answer is A? No. Final answer: B": "B",
    "I think the boat would have stayed, since nobody opened the lock.": "B",
    '{"answer": "B"} {"answer": "B"}': "B",
    '{"answer": "B", "confidence": 0.9': "B",
    # Not an answer:
    "A man would have opened it.": None,
    "I do not know.": None,
    "D": None,
    '{"answer": "D"}': None,
    '{"answer": ""}': None,
    '{"answer": null}': None,
    '{"answer": "A or B"}': None,
    '{"answer": "A"} {"answer": "B"}': None,
    "The answer is A. The answer is B.": None,
    "The boat would have left, or the boat would have stayed.": None,
    "{}": None,
    "A. The boat would have left.\nB. The boat would have stayed.\nC. That is not possible.": None,
}


@pytest.mark.parametrize(("text", "letter"), CHOICES.items())
def test_choices(gate, text, letter):
    assert parse(gate, Stage.ANSWER, text).answer == letter


NUMBERS = {
    "12": "12",
    "12.": "12",
    "-12.5": "-12.5",
    '{"answer": 12}': "12",
    '{"answer": "12 apples"}': "12",
    '{"answer": "x = 12"}': "12",
    '{"answer": "7 + 5 = 12"}': "12",
    "The answer is 12.": "12",
    "7 + 5. So the answer is 12 apples.": "12",
    "First 7, then 5.\n#### 12": "12",
    "\\boxed{12}": "12",
    '{"answer": "1,200"}': "1,200",
    '{"answer": 0.10}': "0.10",
    '{"answer": "undetermined"}': "undetermined",
    "It cannot be determined.": None,
    "The answer is undetermined.": "undetermined",
    '{"answer": "12 or 13"}': None,
    '{"answer": "twelve"}': None,
    "7 and 5": None,
    '{"answer": NaN}': None,
    '{"answer": true}': None,
    "Answer: 12. Answer: 13.": None,
    "Answer: 12. Answer: 12.0.": "12",
}


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_numbers(apples, text, value):
    assert parse(apples, Stage.ANSWER, text).answer == value


NUMERALS = {
    "24": "24",
    '{"answer": 024}': "024",
    '{"answer": 1E2}': "1E2",
    '{"answer": "1a"}': "1A",
    '{"answer": "EC"}': "EC",
    '{"answer": "24 (base 8)"}': "24",
    '{"answer": "24_8"}': "24",
    '{"answer": "0o24"}': "24",
    '{"answer": "17+5=24"}': "24",
    "The answer is 24 in base 8.": "24",
    "In base-8, the answer is 24.": "24",
    '{"answer": "base 8: 24"}': "24",
    "17+5 is 22 or 24": None,
    "The answer is 22. The answer is 24.": None,
    '{"answer": "no idea"}': None,
}


@pytest.mark.parametrize(("text", "value"), NUMERALS.items())
def test_numerals(total, text, value):
    assert parse(total, Stage.ANSWER, text).answer == value


LABELS = {
    '{"answer": "not open"}': "not open",
    "Not open.": "Not open",
    "The answer is: not open. It was closed.": "not open",
    '{"answer": "It cannot be determined"}': "It cannot be determined",
    '{"answer": "undetermined"}': "undetermined",
    '{"answer": true}': "true",
    "x " * 40: None,
    '{"answer": "open"} {"answer": "not open"}': None,
}


@pytest.mark.parametrize(("text", "value"), LABELS.items())
def test_labels(word, text, value):
    assert parse(word, Stage.ANSWER, text).answer == value


HOSTILE = {
    "empty": "",
    "spaces": " \n\t ",
    "nothing": "\x00\x00",
    "words": "blah " * 12_000,
    "letters": "a" * 60_000,
    "open brackets": "[" * 60_000,
    "open braces": "{" * 60_000,
    "open objects": '{"a":' * 20_000,
    "nested lists": "[" * 900 + "]" * 900,
    "deep valid": '{"answer":' * 500 + "1" + "}" * 500,
    "braces and words": "{a" * 30_000,
    "quotes": '"' * 60_000,
    "single quotes": "{'" * 30_000,
    "escapes": '{"answer": "' + "\\" * 60_000,
    "backslash u": '{"answer": "' + "\\u" * 30_000 + '"}',
    "surrogates": '{"answer": "\\ud800", "variables": [{"name": "\\udfff", "role": "exposure"}]}',
    "raw surrogate": "\ud800\udc00\ud800",
    "commas": "[" + "," * 60_000,
    "colons": "{" + ":" * 60_000,
    "arrows": "->" * 30_000,
    "many edges": '{"edges": [' + '["a","b"],' * 6_000 + "]}",
    "edge chain": "a->" * 130,
    "many answers": "the answer is A " * 4_000,
    "answers": "answer: " * 8_000,
    "digits": "9" * 60_000,
    "digit groups": "1,111" * 12_000,
    "dots": "1." * 30_000,
    "slashes": "1/0" * 20_000,
    "equals": "=" * 60_000,
    "boxed": "\\boxed{" * 8_000,
    "dashes": "-" * 60_000,
    "fences": "```json" * 8_000,
    "not": "not " * 15_000,
    "infinity": '{"answer": Infinity, "edges": Infinity, "values": -Infinity}',
    "numbers as keys": '{"1": {"2": {"3": [4, 5, {"6": null}]}}}',
    "empty keys": '{"": "", "edges": {"": [""]}, "variables": {"": {"role": ""}}, "answer": {}}',
    "wrong types": '{"variables": 1, "edges": true, "intervention": null, "values": [[[]]], "answer": [[[["B"]]]]}',
    "long name": '{"variables": [{"name": "' + "n" * 5_000 + '", "role": "exposure"}]}',
    "python": "__import__('os').system('true')",
    "unicode digits": '{"answer": "٣²½"}',
    "inner spaces": "a" + " " * 60_000 + "b",
    "one number": "1 " * 30_000,
    "boxes": "\\boxed{{" * 8_000 + "B" * 10_000,
    "dollars": "$" * 60_000,
    "thoughts": "<think>" * 8_000 + "</think>" * 8_000,
    "letters alone": "A\nB\n" * 10_000,
    "letters and letters": "A or " * 12_000,
    "right to left": "\u202eB\u202c answer",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("stage", STAGES)
def test_hostile_completions_never_raise_and_are_read_quickly(hand, stage, text):
    for case in (case for case in hand.values() if stage in case.stages):
        start = time.perf_counter()
        parsed = parse(case, stage, text)
        assert time.perf_counter() - start < 2.0
        assert (parsed.answer is None) == (parsed.status == "parse_failed")
        assert parsed.status == "ok" or parsed.reason
        json.dumps(parsed.answer, allow_nan=False).encode()
        json.dumps(parsed.answer, ensure_ascii=False).encode()
        assert 0.0 <= score(case, stage, parsed).score < 1.0


@pytest.mark.parametrize("text", ["words", "empty", "digits", "python", "wrong types"])
@pytest.mark.parametrize("stage", STAGES)
def test_nonsense_is_no_answer(gate, lamp, stage, text):
    case = gate if stage in gate.stages else lamp
    assert parse(case, stage, HOSTILE[text]).status == "parse_failed"


PIECES = st.sampled_from(
    [
        *"{}[]\"':,\\=-./ \n\x00éAB½\ud800",
        *"-> \\u ```json 12 #### answer is edges variables name role exposure".split(),
        *"cause effect values lever lock null NaN".split(),
        "final answer",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join)), st.sampled_from(STAGES))
def test_any_text_is_read_or_refused(hand, apples, word, text, stage):
    for case in (case for case in (*hand.values(), apples, word) if stage in case.stages):
        parsed = parse(case, stage, text)
        assert (parsed.answer is None) == (parsed.status == "parse_failed")
        json.dumps(parsed.answer, ensure_ascii=False, allow_nan=False).encode()
        score(case, stage, parsed)
        assert parse(case, stage, text) == parsed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_valid_json_is_read_as_it_is(value):
    def spelled(item):
        if isinstance(item, dict):
            return {key: spelled(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [spelled(inner) for inner in item]
        if item is None or isinstance(item, str):
            return item
        return json.dumps(item)

    assert read_values(json.dumps(value)) == [(spelled(value), True)]


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text("abc", min_size=1), st.lists(st.text("xyz 12", max_size=8).map(str.strip), max_size=3), max_size=4
    )
)
def test_the_tolerant_reader_agrees_with_the_strict_one(value):
    text = json.dumps(value)
    # Prose around it sends the same JSON through the tolerant path.
    assert read_values("see: " + text + " ok") == [(value, True)]


def test_clean_keeps_text_and_joins_surrogate_pairs():
    assert clean("naïve ½ 😀") == "naïve ½ 😀"
    assert clean("\ud83d\ude00") == "😀"
    assert clean("a\ud800b").encode()


def test_variables_of_one_letter_are_names_and_not_roles(gate):
    text = '{"variables": {"y": {"role": "exposure", "value": "7"}, "x": {"role": "outcome", "value": "3"}}}'
    assert parse(gate, Stage.VARIABLES, text).answer == [
        {"name": "y", "role": "exposure", "value": "7"},
        {"name": "x", "role": "outcome", "value": "3"},
    ]
    assert parse(gate, Stage.GRAPH, '{"edges": {"x": ["y"], "y": ["z"]}}').answer == [["x", "y"], ["y", "z"]]
