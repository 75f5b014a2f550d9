from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.tools import Finding, hints
from counterpoise.counterfactual.tools.hints import MAX_HINT_CHARS


def test_kinds_are_lines():
    text = hints([Finding("number", "3"), Finding("money", "$4", "dollars"), Finding("number", "5", "five")])
    assert text.split("\n") == [
        "A program extracted this automatically; the list may be incomplete or wrong.",
        "- number: 3; 5 (five)",
        "- money: $4 (dollars)",
    ]


def test_nothing_found_is_nothing_said():
    assert hints([]) == ""


def test_what_does_not_fit_is_counted():
    text = hints([Finding("number", f"{number:030}") for number in range(60)])
    assert len(text) <= MAX_HINT_CHARS
    assert len(text) > MAX_HINT_CHARS - 60
    last = text.split("\n")[-1]
    shown = text.count(";") + 1 - 1
    assert last == f"- and {60 - shown} more"


@given(st.lists(st.builds(Finding, st.text(max_size=300), st.text(max_size=300), st.text(max_size=300)), max_size=60))
def test_it_is_always_short_and_says_what_it_is(findings):
    text = hints(findings)
    assert len(text) <= MAX_HINT_CHARS
    assert bool(text) == bool(findings)
    if findings:
        assert text.startswith("A program extracted this automatically; the list may be incomplete")
        assert len(text.split("\n")) <= 2 + len({finding.kind for finding in findings})
