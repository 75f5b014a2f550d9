from counterpoise.curation.questions import generated_questions
from counterpoise.lm.fake import FakeLM
from counterpoise.lm.protocol import Request

TEXTS = ["Ice floats because it is light.", "Bread rises because of gas."]


def test_the_first_question_of_a_reply_is_taken() -> None:
    lm = FakeLM({TEXTS[0]: '"Why does ice float? And snow?"\nMore.', TEXTS[1]: "Question: Why does bread rise?"})
    assert generated_questions(lm, TEXTS, seed=0) == ["Why does ice float?", "Why does bread rise?"]
    assert len(lm.requests) == 2
    assert all(request.temperature == 0 for request in lm.requests)


def test_what_is_no_question_is_asked_for_again_and_then_given_up() -> None:
    def respond(request: Request, sample: int) -> str:
        if "Ice" in request.messages[-1]["content"]:
            return "Why?" if request.temperature == 0 else "Why does ice float?"
        return "no question " * 50 + "?"

    lm = FakeLM(respond)
    assert generated_questions(lm, TEXTS, seed=0) == ["Why does ice float?", None]
    assert len(lm.requests) == 2 + 2 + 1
    assert len({request.seed for request in lm.requests[2:]}) == 3


def test_a_model_that_fails_gives_none() -> None:
    def respond(request: Request, sample: int) -> str:
        raise ValueError("down")

    assert generated_questions(FakeLM(respond), TEXTS, seed=0) == [None, None]
    assert generated_questions(FakeLM(), [], seed=0) == []
