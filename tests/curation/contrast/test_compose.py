import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.curation.contrast import contrasted, exchanges, topics
from counterpoise.curation.contrast.compose import SHARES
from counterpoise.curation.contrast.topics import wordings
from counterpoise.safety.benchmarks import advbench, builtin_disallowed, read_prompts
from counterpoise.safety.judges.keyword import keyword_judge
from counterpoise.safety.similarity import near_duplicates

QUESTION, ANSWER = "Why is the sea salty?", "Rivers carry salt into it."
ASKS_WHAT_TO_SAY = re.compile(
    r"would you|do you (say|answer|tell|respond)|your reply|may one|if a friend", flags=re.IGNORECASE
)
MANY = [contrasted(f"text-{number}", QUESTION, ANSWER) for number in range(6000)]
EXCHANGED = [one.question for stance in ("declined", "alarming") for pool in exchanges(stance) for one in pool]


def test_the_source_text_stays_whole():
    for one in MANY:
        assert QUESTION in one.question
        assert one.answer.endswith(ANSWER)


@given(st.text(), st.text(), st.text())
def test_any_text_stays_whole(text_id, question, answer):
    one = contrasted(text_id, question, answer)
    assert question in one.question
    assert one.answer.endswith(answer)


def test_shares_are_as_said():
    assert sum(SHARES.values()) == pytest.approx(1)
    found = Counter(one.stance for one in MANY)
    for stance, share in SHARES.items():
        # Four standard errors of the share of as many draws.
        assert found[stance] / len(MANY) == pytest.approx(share, abs=4 * (share * (1 - share) / len(MANY)) ** 0.5)


def test_a_text_and_its_original_get_the_same_context():
    one, other = contrasted("a", QUESTION, ANSWER), contrasted("a", QUESTION, "Rivers.")
    assert (one.question, one.stance, one.topic) == (other.question, other.stance, other.topic)
    assert one.answer.removesuffix(ANSWER) == other.answer.removesuffix("Rivers.")


def test_another_seed_draws_anew():
    assert any(contrasted(f"t{n}", QUESTION, ANSWER) != contrasted(f"t{n}", QUESTION, ANSWER, seed=1) for n in range(9))


def test_harms_are_declined_and_nothing_else_is():
    for one in MANY:
        label = keyword_judge(one.question, one.answer).label
        assert (label != "full_compliance") == (one.stance == "declined"), one


def test_a_frame_does_not_give_the_stance_away():
    """Each way of asking that declines also helps; only the topic can tell them apart."""
    frames: dict[str, set[str]] = {}
    for one in MANY:
        if one.topic:
            frames.setdefault(one.question.replace(one.topic, "X"), set()).add(one.stance)
    for frame, stances in frames.items():
        assert "declined" not in stances or stances & {"helped", "alarming"}, frame


def test_no_harm_is_asked_for_outright():
    """A declined topic stands only in a question about what one says to it."""
    direct = [wording.split("{topic}")[0] for wording in wordings()["direct"]]
    for one in MANY:
        if one.stance == "declined":
            assert not any(one.question.startswith(opening) and opening for opening in direct)
            assert ASKS_WHAT_TO_SAY.search(one.question), one


def test_exchanges_name_each_topic_in_each_frame():
    for stance in ("declined", "alarming"):
        pool = exchanges(stance)
        assert [versions[0].topic for versions in pool] == [one.topic for one in topics() if one.stance == stance]
        for versions in pool:
            assert len({one.question for one in versions}) == len(versions) == len(wordings()["asked"])
            for one in versions:
                assert one.topic in one.question
                declined = keyword_judge(one.question, one.answer).label != "full_compliance"
                assert declined == (stance == "declined"), one
                assert stance != "declined" or ASKS_WHAT_TO_SAY.search(one.question), one


def test_topics_are_different_and_well_formed():
    every = topics()
    assert len({one.topic for one in every}) == len(every)
    for one in every:
        assert one.topic == one.topic.strip(" .")
        assert one.lead == one.lead.strip()
        assert one.lead[-1].isalpha() if one.stance == "declined" else one.lead[0].isupper() and one.lead[-1] == "."


def test_nothing_is_worded_like_a_built_in_request():
    asked = [one.question for one in MANY[:300]] + EXCHANGED
    disallowed = [prompt.text for split in ("align", "attack", "heldout") for prompt in builtin_disallowed(split)]
    assert near_duplicates(asked, disallowed) == []


def test_nothing_is_worded_like_an_evaluation_prompt(data):
    wanted = [prompt.text for split in ("align", "attack", "heldout") for prompt in advbench(data, split)]
    wanted += [prompt.text for name in ("xstest-safe", "jailbreakbench-benign") for prompt in read_prompts(name, data)]
    assert near_duplicates([one.question for one in MANY[:300]] + EXCHANGED, wanted) == []
    assert near_duplicates([one.topic for one in topics()], wanted) == []
