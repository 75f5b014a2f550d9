import asyncio
import json

import pytest

from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.elicit import ELICITATIONS, elicitation
from counterpoise.counterfactual.elicit.attempt import DEPTH, Branching, attempt, nearness
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.stages import gold_answer, isolated, render
from counterpoise.lm.protocol import Completion


class Model:
    """Answers with the texts in turn and remembers what it was asked."""

    def __init__(self, *texts):
        self.texts = list(texts)
        self.requests = []

    async def __call__(self, request):
        self.requests.append(request)
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if isinstance(text, Completion):
            return text
        return Completion(text=text, input_tokens=10, output_tokens=2)


def run(model, case, way, stage=Stage.ANSWER, **more):
    return asyncio.run(attempt(model, case, stage, elicitation(way), given=isolated(case, stage), **more))


def answers(*letters):
    return [json.dumps({"answer": letter}) for letter in letters]


@pytest.mark.parametrize("way", ["direct", "cot", "few-shot"])
def test_one_call_for_the_simple_ways(gate, way):
    model = Model(*answers("B"))
    done = run(model, gate, way, k=5)
    assert len(model.requests) == 1
    assert (done.completion.text, done.samples, done.points) == ('{"answer": "B"}', (), ())
    assert model.requests[0].temperature == 0.0


def test_shots_are_turns_before_the_question(gate, total):
    model = Model(*answers("B"))
    shots = [gate.model_copy(update={"id": f"s{n}"}) for n in range(5)]
    run(model, gate, "few-shot", shots=shots)
    messages = model.requests[0].messages
    assert [m["role"] for m in messages] == ["user", "assistant"] * 3 + ["user"]
    assert messages[1]["content"] == render(Stage.ANSWER, "B")


def test_a_vote_counts_every_token_and_keeps_the_samples(gate):
    model = Model(*answers("A", "B", "C", "B", "B"))
    done = run(model, gate, "cot-sc", k=5)
    assert parse(gate, Stage.ANSWER, done.completion.text).answer == "B"
    assert (done.completion.input_tokens, done.completion.output_tokens) == (50, 10)
    assert len(done.samples) == 5
    # The curve: what the first 1, 2, ... samples give. A tie goes to what came first.
    assert [parse(gate, Stage.ANSWER, p.text).answer for p in done.points] == ["A", "A", "A", "B", "B"]
    assert [p.output_tokens for p in done.points] == [2, 4, 6, 8, 10]
    assert len({request.seed for request in model.requests}) == 5
    assert {request.temperature for request in model.requests} == {0.7}


def test_five_samples_are_the_first_of_ten(gate):
    few, many = Model(*answers("B")), Model(*answers("B"))
    run(few, gate, "cot-sc", k=5)
    run(many, gate, "cot-sc", k=10)
    assert [r.seed for r in few.requests] == [r.seed for r in many.requests][:5]


def test_unreadable_samples_do_not_vote(gate):
    failed = Completion(text="", finish="error", error="busy")
    model = Model("I cannot say", '{"answer": "B"}', failed)
    done = run(model, gate, "cot-sc", k=3)
    assert parse(gate, Stage.ANSWER, done.completion.text).answer == "B"
    nothing = run(Model("no idea", failed), gate, "cot-sc", k=2)
    assert (nothing.completion.text, nothing.completion.finish) == ("no idea", "stop")
    assert run(Model(failed), gate, "cot-sc", k=2).completion.finish == "error"


def tree_model(ratings):
    """Thoughts are numbered; each is rated by the table; the answer names the thoughts it saw."""

    class Tree(Model):
        def __init__(self):
            super().__init__("")
            self.thoughts = 0

        async def __call__(self, request):
            self.requests.append(request)
            asked, keys = request.messages[-1]["content"], list(request.schema["properties"])
            if keys == ["thought"]:
                self.thoughts += 1
                return Completion(text=json.dumps({"thought": f"thought {self.thoughts}"}), output_tokens=4)
            if keys == ["rating"]:
                last = asked.rpartition("- thought ")[2].split()[0]
                return Completion(text=json.dumps({"rating": ratings.get(int(last), "1")}), output_tokens=1)
            seen = [line for line in asked.splitlines() if line.startswith("- thought")]
            return Completion(text=json.dumps({"answer": "B", "seen": seen}), output_tokens=2)

    return Tree()


def test_a_tree_goes_on_from_the_best_thought(gate):
    model = tree_model({2: "9", 5: "10"})
    done = run(model, gate, "tot", k=3)
    assert json.loads(done.completion.text)["seen"] == ["- thought 2", "- thought 5"]
    # Per level three thoughts and three ratings, then the answer.
    assert len(model.requests) == DEPTH * 6 + 1
    assert done.completion.output_tokens == DEPTH * (3 * 4 + 3 * 1) + 2
    assert done.samples[1] == "level 1, rating 0.9: thought 2"


def test_a_tree_of_one_branch_is_not_rated(gate):
    model = tree_model({})
    run(model, gate, "tot", k=1)
    assert len(model.requests) == DEPTH + 1


def test_branches_can_be_chosen_by_similarity(gate):
    model = tree_model({})
    similar = Branching(similarity=lambda texts: [float(text.endswith("3")) for text in texts])
    done = run(model, gate, "tot", k=3, branching=similar)
    assert json.loads(done.completion.text)["seen"][0] == "- thought 3"
    assert len(model.requests) == DEPTH * 3 + 1


def test_nearness_is_the_mean_cosine_to_the_others():
    class Embedder:
        name = revision = "e"

        def embed(self, texts):
            import numpy as np

            return np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])[: len(texts)]

    assert nearness(Embedder())(["a", "b", "c"]) == [0.5, 0.5, 0.0]
    assert nearness(Embedder())(["a"]) == [0.0]


def test_a_tree_without_thoughts_still_answers(gate):
    failed = Completion(text="", finish="error", error="busy")
    done = run(Model(failed, failed, '{"answer": "B"}'), gate, "tot", k=2)
    assert (done.completion.text, done.samples) == ('{"answer": "B"}', ())


@pytest.mark.parametrize("way", list(ELICITATIONS))
@pytest.mark.parametrize("stage", [s for s in Stage if s is not Stage.ABDUCTION])
def test_gold_through_every_way_is_gold(gate, way, stage):
    gold = render(stage, gold_answer(gate, stage))

    class Knowing(Model):
        async def __call__(self, request):
            keys = list(request.schema["properties"])
            if keys in (["thought"], ["rating"]):
                return Completion(text=json.dumps({keys[0]: "5"}))
            return Completion(text=gold)

    done = run(Knowing(gold), gate, way, stage, k=3, shots=[gate] * 3)
    assert parse(gate, stage, done.completion.text).answer == parse(gate, stage, gold).answer
