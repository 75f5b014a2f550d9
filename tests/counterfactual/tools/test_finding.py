from counterpoise.counterfactual.tools import Finding
from counterpoise.counterfactual.tools.finding import MAX_FINDINGS, MAX_TEXT, collect, plain, record


def test_repetitions_go_and_order_stays():
    found = collect([Finding("a", "Door", "1"), Finding("b", "door"), Finding("a", "door", "2"), Finding("a", "gate")])
    assert found == [Finding("a", "Door", "1"), Finding("b", "door"), Finding("a", "gate")]


def test_no_more_is_asked_for_than_is_needed():
    asked = 0

    def endless():
        nonlocal asked
        while True:
            asked += 1
            yield Finding("number", str(asked))

    assert len(collect(endless())) == MAX_FINDINGS
    assert asked == MAX_FINDINGS + 1
    assert [one.text for one in collect(endless(), 2)] == ["62", "63"]


def test_texts_are_one_short_line():
    assert plain(" a\0b\n\u202ec\ud800 ") == "a b c"
    assert plain("x" * 1000) == "x" * (MAX_TEXT - 1) + "…"
    assert plain("\n" * 10**6) == ""
    assert collect([Finding("a", "\0\n"), Finding("a", "")]) == []


def test_as_json():
    assert record(Finding("a", "b", "c")) == {"kind": "a", "text": "b", "detail": "c"}
