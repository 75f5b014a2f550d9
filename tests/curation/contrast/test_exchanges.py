import re

from counterpoise.curation.contrast import exchanges, topics
from counterpoise.curation.contrast.topics import wordings
from counterpoise.safety.benchmarks import PROMPT_SETS, advbench, builtin_disallowed, read_prompts
from counterpoise.safety.judges.keyword import keyword_judge
from counterpoise.safety.similarity import near_duplicates

ASKS_WHAT_TO_SAY = re.compile(
    r"would you|do you (say|answer|tell|respond)|you (say|answer)|reply|answer", re.IGNORECASE
)
STANCES = ("declined", "alarming")
ASKED = [one.question for stance in STANCES for versions in exchanges(stance) for one in versions]


def test_each_topic_stands_in_each_frame():
    for stance in STANCES:
        pool = exchanges(stance)
        assert [versions[0].topic for versions in pool] == [one.topic for one in topics() if one.stance == stance]
        for versions in pool:
            assert len({one.question for one in versions}) == len(versions) == len(wordings()["asked"])
            assert all(one.topic in one.question for one in versions)


def test_harms_are_declined_and_nothing_else_is():
    for stance in STANCES:
        for one in (one for versions in exchanges(stance) for one in versions):
            assert (keyword_judge(one.question, one.answer).label != "full_compliance") == (stance == "declined"), one


def test_no_harm_is_asked_for_outright():
    """In every frame a topic stands in a question about what one says to it."""
    assert all(ASKS_WHAT_TO_SAY.search(frame) for frame in wordings()["asked"])


def test_many_frames_open_as_requests_do():
    opening = [frame.split()[0] for frame in wordings()["asked"] if not frame.endswith("?")]
    assert len(set(opening)) == len(opening) >= len(wordings()["asked"]) / 2


def test_a_frame_does_not_give_the_refusal_away():
    frames = len(wordings()["asked"])
    pool = exchanges("declined")
    for number in range(frames):
        openings = {versions[number].answer.partition(versions[number].topic)[0] for versions in pool}
        assert len(openings) == len(wordings()["declined"])


def test_topics_are_different_and_well_formed():
    every = topics()
    assert len({one.topic for one in every}) == len(every)
    for one in every:
        assert one.topic == one.topic.strip(" .")
        assert one.lead == one.lead.strip()
        assert one.lead[-1].isalpha() if one.stance == "declined" else one.lead[0].isupper() and one.lead[-1] == "."


def test_nothing_is_worded_like_a_built_in_request():
    disallowed = [prompt.text for split in ("align", "attack", "heldout") for prompt in builtin_disallowed(split)]
    assert near_duplicates(ASKED, disallowed) == []


def test_nothing_is_worded_like_an_evaluation_prompt(data):
    wanted = [prompt.text for split in ("align", "attack", "heldout") for prompt in advbench(data, split)]
    for name in ("jailbreakbench", "strongreject", "harmbench", "malicious-instruct", "xstest-safe"):
        assert name in PROMPT_SETS
        wanted += [prompt.text for prompt in read_prompts(name, data)]
    assert near_duplicates(ASKED, wanted) == []
