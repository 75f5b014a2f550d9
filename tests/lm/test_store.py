import asyncio

import anyio

from counterpoise.lm.protocol import Completion, Request
from counterpoise.lm.store import CompletionStore


def request(seed=0, text="hello", **more):
    return Request(messages=[{"role": "user", "content": text}], seed=seed, **more)


class Counting:
    """Answers with the number of the call."""

    def __init__(self):
        self.calls = 0

    async def __call__(self, asked):
        self.calls += 1
        number = self.calls
        await anyio.sleep(0)
        return Completion(text=f"call {number}", output_tokens=3, seconds=1.0)


def complete(store, ask, *requests):
    async def run():
        return [await store.complete(one, ask) for one in requests]

    return asyncio.run(run())


def test_what_was_asked_once_is_not_asked_again(tmp_path):
    ask = Counting()
    store = CompletionStore("m", "1", tmp_path / "completions.jsonl")
    first, again = complete(store, ask, request(), request())
    assert (first.text, again.text, ask.calls, store.reused) == ("call 1", "call 1", 1, 1)
    assert (again.output_tokens, again.seconds) == (3, 0.0)
    # A later process reads the file.
    (later,) = complete(CompletionStore("m", "1", tmp_path / "completions.jsonl"), ask, request())
    assert (later.text, ask.calls) == ("call 1", 1)


def test_samples_weights_and_settings_do_not_collide(tmp_path):
    ask = Counting()
    path = tmp_path / "completions.jsonl"
    asked = [
        request(0),
        request(1),
        request(0, temperature=0.7),
        request(0, max_tokens=5),
        request(0, schema={"type": "object"}),
        request(0, text="hello "),
    ]
    complete(CompletionStore("m", "1", path), ask, *asked)
    assert ask.calls == len(asked)
    complete(CompletionStore("m", "2", path), ask, request(0))
    complete(CompletionStore("n", "1", path), ask, request(0))
    assert ask.calls == len(asked) + 2


def test_two_who_ask_at_once_share_a_call():
    ask, store = Counting(), CompletionStore("m", "1")

    async def run():
        return await asyncio.gather(*(store.complete(request(), ask) for _ in range(5)))

    assert {completion.text for completion in asyncio.run(run())} == {"call 1"}
    assert ask.calls == 1


def test_a_failure_is_asked_again():
    answers = [Completion(text="", finish="error", error="busy"), Completion(text="fine")]

    async def ask(asked):
        return answers.pop(0)

    failed, fine = complete(CompletionStore("m", "1"), ask, request(), request())
    assert (failed.finish, fine.text) == ("error", "fine")


def test_a_caller_who_gives_up_leaves_the_way_free():
    store = CompletionStore("m", "1")

    async def never(asked):
        raise RuntimeError("lost")

    async def run():
        try:
            await store.complete(request(), never)
        except RuntimeError:
            return await store.complete(request(), Counting())

    assert asyncio.run(run()).text == "call 1"
