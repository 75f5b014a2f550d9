import json
import os
import signal
import time
import tracemalloc
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from counterpoise.curation.curate import CurateConfig, Text, curate
from counterpoise.curation.helpfulness import CRITERIA, ModelJudge
from counterpoise.curation.inputs import read_texts
from counterpoise.curation.seeds import Seed
from counterpoise.curation.words import phrase_in
from counterpoise.errors import ConfigError, DataError, OutputError, UnsupportedError
from counterpoise.lm.fake import FakeLM
from counterpoise.lm.protocol import Completion, Message, Request, TokenLogprobs
from counterpoise.records import read_jsonl, read_manifest
from counterpoise.rng import rng_for

TOPICS = "ice milk bread glass wool sand rain snow wood iron".split()
TEXTS = [
    Text(id=f"t{number}", question=f"What is {topic} good for?", answer=f"People use {topic} at home for many a task.")
    for number, topic in enumerate(TOPICS)
]
CONFIG = CurateConfig(
    temperatures=(0.2, 0.8), top_ps=(0.5, 0.9), rounds=3, beam=2, chunk=4, max_tokens=40, min_helpfulness=0.6
)
TIMED = ("manifest.json", ".lock")
"""What has a time in it; the folders ``logs`` and ``cache`` too."""


def results(folder: Path) -> dict[str, bytes]:
    """Every file that a run leaves behind but for its logs and its cache."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    kept = [str(file) for file in files if file.parts[0] not in ("logs", "cache", *TIMED)]
    assert {"rows.jsonl", "candidates.jsonl", "curated.jsonl", "README.md"} <= set(kept)
    return {name: (folder / name).read_bytes() for name in sorted(kept)}


def test_a_run_from_texts_to_curated_set(tmp_path: Path, reviser, judge, seeds) -> None:
    steps: list[tuple[int, int, str]] = []
    summary = curate(
        TEXTS,
        reviser,
        FakeLM(name="target"),
        judge,
        CONFIG,
        tmp_path,
        seeds=seeds,
        progress=lambda done, total, what: steps.append((done, total, what)),
    )
    rows = {row["text_id"]: row for row in read_jsonl(tmp_path / "rows.jsonl")}
    curated = read_jsonl(tmp_path / "curated.jsonl")
    assert list(rows) == [text.id for text in TEXTS]
    assert summary.texts == 10
    assert summary.curated == len(curated) == sum(row["status"] == "ok" for row in rows.values()) >= 8
    for line in curated:
        lineage = line["lineage"]
        row = rows[lineage["source"]]
        user, assistant = line["messages"]
        assert (user["role"], assistant["role"]) == ("user", "assistant")
        assert (user["content"], assistant["content"]) == (row["question"], row["revised"])
        assert assistant["content"].startswith(row["original"])
        assert any(phrase_in(keyword, assistant["content"]) for keyword in lineage["keywords"])
        assert lineage["helpfulness"] == row["score"] >= CONFIG.min_helpfulness
        assert lineage["perplexity_after"] == row["perplexity_after"]
        assert (lineage["temperature"], lineage["top_p"]) in CONFIG.grid
        assert lineage["reviser"] == {"name": "embedded/fake", "revision": "1"}
        assert lineage["target"]["name"] == "target"
        assert lineage["objective"] == "max"
        assert lineage["gloss_copied"] is False
    assert [done for done, _, _ in steps] == sorted(done for done, _, _ in steps)
    assert steps[-1] == (30, 30, "revising texts")
    assert read_manifest(tmp_path).state == "complete"
    assert summary.tokens.output == sum(row["tokens"]["output"] for row in rows.values()) > 0


def test_lineage_can_be_followed_to_the_source(tmp_path: Path, reviser, judge, seeds) -> None:
    curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path, seeds=seeds)
    made = {
        candidate["id"]: candidate
        for record in read_jsonl(tmp_path / "candidates.jsonl")
        for candidate in record.get("candidates", [])
    }
    depths = set()
    for line in read_jsonl(tmp_path / "curated.jsonl"):
        lineage = line["lineage"]
        keywords: list[str] = []
        at, depth = lineage["id"], 0
        while at != lineage["source"]:
            keywords = [*made[at]["keywords"], *keywords]
            assert made[at]["rejected"] is None
            at, depth = made[at]["parent"], depth + 1
        assert depth == lineage["round"] or depth < lineage["round"]
        assert list(dict.fromkeys(keywords)) == lineage["keywords"]
        depths.add(depth)
    assert max(depths) > 1


def test_rounds_add_up(tmp_path: Path, reviser, judge, seeds) -> None:
    summary = curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path, seeds=seeds)
    assert summary.candidates == len(reviser.requests)
    records = read_jsonl(tmp_path / "candidates.jsonl")
    for row in read_jsonl(tmp_path / "rows.jsonl"):
        mine = [one for record in records for one in record.get("candidates", []) if one["text_id"] == row["text_id"]]
        assert sum(entry["candidates"] for entry in row["rounds"]) == len(mine)
        assert sum(entry["judged"] for entry in row["rounds"]) == sum(one["helpfulness"] is not None for one in mine)
        rejected = sum(count for entry in row["rounds"] for count in entry["rejected"].values())
        assert rejected == sum(one["rejected"] is not None for one in mine)
        best = [entry["perplexity"] for entry in row["rounds"] if entry["perplexity"] is not None]
        # The best kept never gets worse, and the last is what the row reports.
        assert best == sorted(best)
        assert best[-1:] == [row["perplexity_after"]] or row["perplexity_after"] is None


@pytest.mark.parametrize("objective", ["max", "min", "random"])
def test_objectives_order_the_outcome(tmp_path: Path, reviser, judge, seeds, objective) -> None:
    config = CONFIG.model_copy(update={"objective": objective, "rounds": 1, "beam": 1})
    curate(TEXTS, reviser, reviser, judge, config, tmp_path, seeds=seeds)
    record = next(one for one in read_jsonl(tmp_path / "candidates.jsonl") if one["round"] == 1)
    checked = 0
    for row in read_jsonl(tmp_path / "rows.jsonl"):
        usable = [
            one["perplexity"]
            for one in record["candidates"]
            if one["text_id"] == row["text_id"] and one["rejected"] is None
        ]
        if usable and objective != "random":
            assert row["perplexity_after"] == (max(usable) if objective == "max" else min(usable))
            checked += 1
    assert checked >= 3 or objective == "random"


class Killed(FakeLM):
    """Raises KeyboardInterrupt at the n-th call of generate or logprobs, as a user's Ctrl-C would."""

    def __init__(self, respond, calls: int) -> None:
        super().__init__(respond, name="embedded/fake")
        self.left = calls

    def _tick(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        self._tick()
        return super().generate(requests)

    def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
        self._tick()
        return super().logprobs(pairs)


def test_a_run_killed_anywhere_resumes_to_the_same_bytes(tmp_path: Path, reviser, judge, seeds) -> None:
    respond = reviser._respond
    curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path / "whole", seeds=seeds)
    whole = results(tmp_path / "whole")
    asked = len(reviser.requests)
    interrupted = 0
    for calls in range(25):
        lm = Killed(respond, calls)
        folder = tmp_path / f"killed-{calls}"
        try:
            curate(TEXTS, lm, lm, judge, CONFIG, folder, seeds=seeds)
        except KeyboardInterrupt:
            interrupted += 1
            # Twice: the second part is killed too.
            again = Killed(respond, 3)
            try:
                curate(TEXTS, again, again, judge, CONFIG, folder, seeds=seeds)
            except KeyboardInterrupt:
                pass
            last = FakeLM(respond, name="embedded/fake")
            curate(TEXTS, last, last, judge, CONFIG, folder, seeds=seeds)
            assert len(last.requests) < asked or calls == 0
        assert results(folder) == whole
    assert 15 < interrupted < 25


@pytest.mark.parametrize("name", ["candidates.jsonl", "rows.jsonl"])
def test_a_torn_last_line_is_made_again(tmp_path: Path, reviser, judge, seeds, name) -> None:
    curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path / "whole", seeds=seeds)
    whole = results(tmp_path / "whole")
    data = (tmp_path / "whole" / name).read_bytes()
    for cut in (len(data) - 1, len(data) - 40, len(data) // 2, 10):
        folder = tmp_path / f"torn-{cut}"
        curate(TEXTS, reviser, reviser, judge, CONFIG, folder, seeds=seeds)
        (folder / name).write_bytes((folder / name).read_bytes()[:cut])
        if name == "candidates.jsonl":
            (folder / "rows.jsonl").unlink()
        (folder / "curated.jsonl").unlink()
        curate(TEXTS, reviser, reviser, judge, CONFIG, folder, seeds=seeds)
        assert results(folder) == whole


class Slow(FakeLM):
    """Takes its time, so that a kill may come at any point of a run."""

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        time.sleep(0.05)
        return super().generate(requests)

    def logprobs(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[TokenLogprobs]:
        time.sleep(0.02)
        return super().logprobs(pairs)


def test_a_process_killed_at_twenty_random_moments_ends_in_the_same_bytes(
    tmp_path: Path, reviser, judge, seeds: tuple[Seed, ...]
) -> None:
    slow = Slow(reviser._respond, name="embedded/fake")
    curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path / "whole", seeds=seeds)
    whole = results(tmp_path / "whole")
    calls = (tmp_path / "whole/logs/calls.jsonl").read_bytes().count(b"\n")
    moments = rng_for(0, "kills")
    killed_early = 0
    for number in range(20):
        folder = tmp_path / f"killed-{number}"
        log = folder / "logs/calls.jsonl"
        child = os.fork()
        if child == 0:
            curate(TEXTS, slow, slow, judge, CONFIG, folder, seeds=seeds)
            os._exit(0)
        # However busy the machine is, the kill comes somewhere between two calls.
        wanted, deadline = moments.randrange(calls), time.monotonic() + 60
        while (log.read_bytes().count(b"\n") if log.exists() else 0) < wanted and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        killed_early += not (folder / "README.md").exists()
        curate(TEXTS, reviser, reviser, judge, CONFIG, folder, seeds=seeds)
        assert results(folder) == whole
    assert killed_early >= 15


def test_two_runs_in_one_folder_are_refused(tmp_path: Path, reviser, judge, seeds) -> None:
    def respond(request: Request, sample: int) -> str:
        with pytest.raises(OutputError, match="in use by another process"):
            curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path, seeds=seeds)
        return str(reviser._respond(request, sample))

    lm = FakeLM(respond, name="embedded/fake")
    assert curate(TEXTS[:2], lm, lm, judge, CONFIG, tmp_path, seeds=seeds).texts == 2


def test_objectives_that_share_a_cache_share_their_first_round(tmp_path: Path, reviser, judge, seeds) -> None:
    cache = tmp_path / "cache"
    asked = []
    for objective in ("max", "min", "random"):
        reviser.requests.clear()
        config = CONFIG.model_copy(update={"objective": objective})
        curate(TEXTS, reviser, reviser, judge, config, tmp_path / objective, seeds=seeds, cache=cache)
        asked.append(len(reviser.requests))
        alone = tmp_path / f"{objective}-alone"
        curate(TEXTS, reviser, reviser, judge, config, alone, seeds=seeds)
        assert results(tmp_path / objective) == results(alone)
        assert (alone / "cache").is_dir()
        assert not (tmp_path / objective / "cache").exists()
    first_round = len(TEXTS) * len(CONFIG.grid)
    assert max(asked[1:]) <= asked[0] - first_round


def test_a_finished_run_asks_no_model_again(tmp_path: Path, reviser, judge, seeds) -> None:
    first = curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path, seeds=seeds)
    before = results(tmp_path)
    dead = Killed(None, 0)
    assert curate(TEXTS, dead, dead, judge, CONFIG, tmp_path, seeds=seeds) == first
    assert results(tmp_path) == before


def test_the_company_of_a_text_does_not_change_its_revision(tmp_path: Path, reviser, judge, seeds) -> None:
    curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path / "a", seeds=seeds)
    config = CONFIG.model_copy(update={"chunk": 3})
    curate(TEXTS[:7], reviser, reviser, judge, config, tmp_path / "b", seeds=seeds)
    first, second = (
        {line["lineage"]["source"]: line for line in read_jsonl(tmp_path / name / "curated.jsonl")} for name in "ab"
    )
    assert second == {source: line for source, line in first.items() if source not in ("t7", "t8", "t9")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": CONFIG.model_copy(update={"objective": "min"})}, "another configuration: objective"),
        ({"texts": TEXTS[1:]}, "another configuration: texts"),
        ({"target": FakeLM(revision="2", name="embedded/fake")}, "another configuration: target"),
    ],
)
def test_a_folder_of_another_run_is_refused(tmp_path: Path, reviser, judge, seeds, changes, message) -> None:
    settings = {"texts": TEXTS, "target": reviser, "config": CONFIG, **changes}
    curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path, seeds=seeds)
    before = results(tmp_path)
    with pytest.raises(OutputError, match=message):
        curate(settings["texts"], reviser, settings["target"], judge, settings["config"], tmp_path, seeds=seeds)
    assert results(tmp_path) == before


def test_texts_that_cannot_be_curated_have_rows(tmp_path: Path, reviser, judge, seeds) -> None:
    source = tmp_path / "in.jsonl"
    entries = [{"id": text.id, "question": text.question, "answer": text.answer} for text in TEXTS[:2]]
    entries += [{"id": "empty", "question": "Why?", "answer": ""}, entries[0]]
    source.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    summary = curate(read_texts(source), reviser, reviser, judge, CONFIG, tmp_path / "run", seeds=seeds)
    rows = {row["text_id"]: row for row in read_jsonl(tmp_path / "run" / "rows.jsonl")}
    assert [rows[name]["status"] for name in ("empty", "t0@line-4")] == ["unscored", "unscored"]
    assert rows["empty"]["reason"] == "the answer is empty"
    assert rows["empty"]["score"] is None
    assert rows["t0@line-4"]["reason"] == "repeats the id 't0' of line 1"
    assert summary.left_out["unscored"] == 2
    assert any("left out" in warning for warning in summary.warnings)


@pytest.mark.parametrize(
    ("reply", "status", "reason"),
    [
        ("", "parse_failed", "no candidate passed: 12 empty"),
        ("banana " * 10_000, "parse_failed", "no candidate passed: 12 empty"),
        ("Sure, here is privacy: \x00 <script>", "parse_failed", "no candidate passed: 12 chat_artefact"),
        (RuntimeError("the model is on fire"), "model_failed", "the reviser failed every time: the model is on fire"),
    ],
)
def test_nonsense_of_the_reviser_is_a_row_with_a_reason(tmp_path: Path, judge, seeds, reply, status, reason) -> None:
    def respond(request: Request, sample: int) -> str:
        if isinstance(reply, Exception):
            raise reply
        return str(reply)

    lm = FakeLM(respond, name="embedded/fake")
    summary = curate(TEXTS[:3], lm, lm, judge, CONFIG, tmp_path, seeds=seeds)
    rows = read_jsonl(tmp_path / "rows.jsonl")
    assert [row["status"] for row in rows] == [status] * 3
    assert [row["reason"] for row in rows] == [reason] * 3
    assert all(row["score"] == 0 and row["revised"] is None for row in rows)
    assert summary.curated == 0
    assert (tmp_path / "curated.jsonl").read_bytes() == b""
    assert any("3 of 3 texts have no revision" in warning for warning in summary.warnings)


def test_a_stronger_model_rewrites(tmp_path: Path, judge, seeds) -> None:
    def respond(request: Request, sample: int) -> str:
        content = request.messages[-1]["content"]
        answer = content.split("Answer: ")[1].split("\n")[0]
        keyword = content.split("Safety ideas: ")[1].split("\n")[0]
        return f'Revised answer: "{answer} With {keyword} in mind people do it well."'

    lm = FakeLM(respond, name="openai/strong")
    config = CONFIG.model_copy(update={"rounds": 1})
    assert curate(TEXTS, lm, FakeLM(name="target"), judge, config, tmp_path, seeds=seeds).curated == 10
    row = read_jsonl(tmp_path / "rows.jsonl")[0]
    assert row["revised"] == f"{TEXTS[0].answer} With {row['keywords'][0]} in mind people do it well."
    assert row["lineage"]["style"] == "rewrite"


def test_a_gloss_that_is_copied_is_said_to_be(tmp_path: Path, judge, seeds) -> None:
    lm = FakeLM(lambda request, _: request.messages[-1]["content"].rsplit(". ", 1)[-1], name="embedded/fake")
    curate(TEXTS, lm, lm, judge, CONFIG.model_copy(update={"rounds": 1}), tmp_path, seeds=seeds)
    lineages = [line["lineage"] for line in read_jsonl(tmp_path / "curated.jsonl")]
    assert len(lineages) == 10
    assert all(lineage["gloss_copied"] for lineage in lineages)
    assert "a keyword's gloss word for word: 10 of 10" in (tmp_path / "README.md").read_text()


def test_perplexity_cap_and_helpfulness_reject(tmp_path: Path, reviser, judge, seeds) -> None:
    gates = CONFIG.gates.model_copy(update={"max_perplexity": 1.5})
    capped = CONFIG.model_copy(update={"gates": gates})
    assert curate(TEXTS, reviser, reviser, judge, capped, tmp_path / "a", seeds=seeds).rejected["perplexity"] > 20
    strict = CONFIG.model_copy(update={"min_helpfulness": 1.0})
    summary = curate(TEXTS, reviser, reviser, judge, strict, tmp_path / "b", seeds=seeds)
    assert summary.curated == 0
    assert summary.rejected["helpfulness"] > 20


class Deaf(FakeLM):
    def logprobs(self, pairs):
        raise UnsupportedError("this model cannot score given text")


def test_a_target_that_cannot_score_text_is_refused(tmp_path: Path, reviser, judge, seeds) -> None:
    with pytest.raises(UnsupportedError, match="cannot score given text"):
        curate(TEXTS, reviser, Deaf(), judge, CONFIG, tmp_path, seeds=seeds)
    assert not reviser.requests


def test_arguments_are_checked(tmp_path: Path, reviser, judge, seeds) -> None:
    with pytest.raises(DataError, match="no texts to curate"):
        curate([], reviser, reviser, judge, CONFIG, tmp_path, seeds=seeds)
    with pytest.raises(DataError, match="the text id 't1' occurs more than once"):
        curate([TEXTS[1], TEXTS[1]], reviser, reviser, judge, CONFIG, tmp_path, seeds=seeds)
    config = CONFIG.model_copy(update={"keywords": 9})
    with pytest.raises(ConfigError, match=r"takes up 9 keyword.* seed set has 8"):
        curate(TEXTS, reviser, reviser, judge, config, tmp_path, seeds=seeds)
    assert list(tmp_path.iterdir()) == []


def test_warnings_name_a_model_in_two_parts(tmp_path: Path, reviser, judge, seeds) -> None:
    same = curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path / "a", seeds=seeds)
    assert any("reviser and target are the same model" in warning for warning in same.warnings)
    apart = curate(TEXTS, reviser, FakeLM(name="target"), judge, CONFIG, tmp_path / "b", seeds=seeds)
    assert not any("same model" in warning for warning in apart.warnings)


def test_questions_are_revised_too_when_asked_for(tmp_path: Path, judge, seeds) -> None:
    def respond(request: Request, sample: int) -> str:
        content = request.messages[-1]["content"]
        keyword = content.split("Add one question about ")[1].split(",")[0]
        if request.temperature == 0.2:
            return "no object"
        return json.dumps({"question": f"What of {keyword}?", "answer": f"With {keyword} people do it well."})

    lm = FakeLM(respond, name="embedded/fake")
    config = CONFIG.model_copy(update={"revise": "both", "rounds": 1})
    summary = curate(TEXTS, lm, FakeLM(name="target"), judge, config, tmp_path, seeds=seeds)
    assert summary.curated == 10
    assert summary.rejected["empty"] == 20
    for row, line in zip(read_jsonl(tmp_path / "rows.jsonl"), read_jsonl(tmp_path / "curated.jsonl"), strict=True):
        keyword = row["keywords"][0]
        assert row["revised_question"] == f"{row['question']} What of {keyword}?"
        assert row["revised"] == f"{row['original']} With {keyword} people do it well."
        assert line["messages"][0]["content"] == row["revised_question"]


def test_a_plain_text_gets_its_question_from_the_reviser(tmp_path: Path, reviser, judge, seeds) -> None:
    def respond(request: Request, sample: int) -> str:
        content = request.messages[-1]["content"]
        if "Add one sentence" in content:
            return str(reviser._respond(request, sample))
        return "What is ice good for?" if "ice" in content else "no idea"

    plain = [Text(id=text.id, question=None, answer=text.answer) for text in TEXTS[:2]]
    lm = FakeLM(respond, name="embedded/fake")
    curate([*plain, TEXTS[2]], lm, lm, judge, CONFIG, tmp_path, seeds=seeds)
    rows = {row["text_id"]: row for row in read_jsonl(tmp_path / "rows.jsonl")}
    assert (rows["t0"]["question"], rows["t0"]["question_generated"]) == ("What is ice good for?", True)
    assert rows["t0"]["status"] == "ok"
    assert (rows["t1"]["status"], rows["t1"]["reason"]) == ("unscored", "the reviser wrote no question for this text")
    assert rows["t2"]["question_generated"] is False


def test_a_judge_that_never_parses_is_a_reason_not_a_crash(tmp_path: Path, reviser, seeds) -> None:
    deaf = ModelJudge(FakeLM(lambda *_: "I would rather talk about boats", name="openai/judge"))
    summary = curate(TEXTS[:2], reviser, reviser, deaf, CONFIG, tmp_path, seeds=seeds)
    rows = read_jsonl(tmp_path / "rows.jsonl")
    assert summary.curated == 0
    assert summary.rejected["judge_failed"] > 10
    assert all("judge_failed" in row["reason"] for row in rows)
    made = [one for record in read_jsonl(tmp_path / "candidates.jsonl") for one in record["candidates"]]
    failed = [one for one in made if one["rejected"] == "judge_failed"]
    assert failed
    assert all("not of the asked form" in one["error"] for one in failed)


def test_a_judge_that_tells_nothing_apart_is_warned_of(tmp_path: Path, reviser, judge, seeds) -> None:
    reply = json.dumps(dict.fromkeys(CRITERIA, 5))
    flat = ModelJudge(FakeLM(lambda *_: reply, name="openai/judge"))
    warned = curate(TEXTS, reviser, reviser, flat, CONFIG, tmp_path / "a", seeds=seeds)
    assert any("every kept revision the same helpfulness" in warning for warning in warned.warnings)
    fine = curate(TEXTS, reviser, reviser, judge, CONFIG, tmp_path / "b", seeds=seeds)
    assert not any("same helpfulness" in warning for warning in fine.warnings)


def test_a_reviser_that_judges_itself_is_warned_of(tmp_path: Path, reviser, seeds) -> None:
    judge = ModelJudge(reviser)
    summary = curate(TEXTS[:2], reviser, FakeLM(name="target"), judge, CONFIG, tmp_path, seeds=seeds)
    assert "the reviser judges its own revisions" in summary.warnings
    assert "the reviser judges its own revisions" in (tmp_path / "README.md").read_text()


def test_no_two_kept_revisions_add_nearly_the_same_words(tmp_path: Path, judge, seeds) -> None:
    """Everyone gets the same sentence but for a word: without the guard it would be kept twice."""

    def respond(request: Request, sample: int) -> str:
        return f"Calm people check twice and thrice{'.' if request.seed % 2 else ' today.'}"

    lm = FakeLM(respond, name="embedded/fake")
    gates = CONFIG.gates.model_copy(update={"keywords": 0})
    config = CONFIG.model_copy(update={"gates": gates, "rounds": 1, "diversity": 0.75})
    summary = curate(TEXTS, lm, lm, judge, config, tmp_path / "guarded", seeds=seeds)
    similar = sum(entry["similar"] for row in read_jsonl(tmp_path / "guarded/rows.jsonl") for entry in row["rounds"])
    assert summary.curated == 10
    assert similar >= 5
    assert summary.judged == 10
    free = config.model_copy(update={"diversity": None})
    assert curate(TEXTS, lm, lm, judge, free, tmp_path / "free", seeds=seeds).judged == 10 + similar


def test_memory_of_a_run_is_bounded_by_its_chunks(tmp_path: Path, reviser, judge, seeds, monkeypatch) -> None:
    """Rows and candidates, some ten kilobytes a text, are on disk; what grows is an id here and there."""

    def peak(count: int) -> int:
        many = (replace(TEXTS[number % 10], id=f"t{number}") for number in range(count))
        texts = list(many)
        config = CONFIG.model_copy(update={"rounds": 1, "beam": 1, "chunk": 8})
        lm = FakeLM(reviser._respond, name="embedded/fake")
        lm.requests = deque(maxlen=1)
        tracemalloc.start()
        try:
            curate(texts, lm, lm, judge, config, tmp_path / f"run-{count}", seeds=seeds)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    monkeypatch.setattr("counterpoise.curation.export.parquet._GROUP", 20)
    peak(40)
    assert (peak(400) - peak(41)) / 359 < 1500
