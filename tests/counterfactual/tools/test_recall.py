import pytest

from counterpoise.counterfactual.case import Role
from counterpoise.counterfactual.match import EXACT, NORMALISED
from counterpoise.counterfactual.tools import Finding, recall


def said(*texts):
    return [Finding("noun phrase", text) for text in texts]


def test_nothing_found_misses_everything(gate):
    assert recall(gate, [], NORMALISED) == {
        "exposure": {"tp": 0, "fn": 1},
        "covariate": {"tp": 0, "fn": 1},
        "mediator": {"tp": 0, "fn": 2},
        "outcome": {"tp": 0, "fn": 1},
    }


def test_names_and_aliases_count_as_the_matcher_decides(gate):
    found = said("The Levers", "state of the lock")
    assert recall(gate, found, NORMALISED)["exposure"] == {"tp": 1, "fn": 0}
    assert recall(gate, found, EXACT)["exposure"] == {"tp": 0, "fn": 1}
    assert recall(gate, found, NORMALISED)["mediator"] == {"tp": 1, "fn": 1}


@pytest.mark.parametrize(
    ("text", "tp"),
    [
        ("gone", 1),
        ("all gone now", 1),
        ("Gone!", 1),
        ("not gone", 0),
        ("gone, not gone", 1),
        ("bygone", 0),
        ("go", 0),
        ("not", 0),
    ],
)
def test_a_value_counts_where_it_stands_as_whole_words(gate, text, tp):
    assert recall(gate, said(text), NORMALISED)["outcome"] == {"tp": tp, "fn": 1 - tp}


def test_a_value_of_several_words_and_none(gate):
    lever = gate.variable("lever").model_copy(update={"factual": "not pulled"})
    boat = gate.variable("boat").model_copy(update={"factual": None})
    case = gate.model_copy(update={"variables": (lever, boat)})
    found = said("was not pulled at all", "...", "pulled")
    assert recall(case, found, NORMALISED) == {"exposure": {"tp": 1, "fn": 0}, "outcome": {"tp": 0, "fn": 1}}
    assert recall(case, said("pulled"), NORMALISED)["exposure"]["tp"] == 0


def test_only_texts_count(gate):
    assert recall(gate, [Finding("lever", "", "lever"), Finding("x", "y", "pulled")], NORMALISED)["exposure"]["tp"] == 0


def test_roles_without_variables_are_absent(gate, total):
    assert recall(gate.model_copy(update={"variables": ()}), said("lever"), NORMALISED) == {}
    assert list(recall(total, [], NORMALISED)) == ["exposure", "covariate", "outcome"]


def test_what_the_matcher_cannot_decide_is_not_found(gate):
    class Undecided:
        name = "undecided"
        threshold = 0.5

        def match(self, pairs):
            return [None] * len(pairs)

    counts = recall(gate, said("lever", "gone"), Undecided())
    assert (counts["exposure"]["tp"], counts["outcome"]["tp"]) == (0, 1)


def test_counts_add_up_to_the_variables(hand):
    for case in hand.values():
        for findings in ([], said(*(variable.name for variable in case.variables))):
            counts = recall(case, findings, NORMALISED)
            for role in Role:
                wanted = len(case.of_role(role))
                assert sum(counts.get(role, {}).values()) == wanted
                assert counts.get(role, {}).get("tp", 0) == (wanted if findings else 0)
