import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from counterpoise.curation.curate import CurateConfig, Text, curate, read_texts
from counterpoise.curation.seeds import Seed
from counterpoise.curation.words import phrase_in
from counterpoise.errors import ConfigError, DataError, OutputError, UnsupportedError
from counterpoise.lm.fake import FakeLM
from counterpoise.lm.protocol import Completion, Message, Request, TokenLogprobs
from counterpoise.records import read_jsonl, read_manifest

TOPICS = "ice milk bread glass wool sand rain snow wood iron".split()
TEXTS = [
    Text(id=f"t{number}", question=f"What is {topic} good for?", answer=f"People use {topic} at home for many a task.")
    for number, topic in enumerate(TOPICS)
]
CONFIG = CurateConfig(
    temperatures=(0.2, 0.8), top_ps=(0.5, 0.9), rounds=3, beam=2, chunk=4, max_tokens=40, min_helpfulness=0.6
)
FINAL = ("curated.jsonl", "curated.prompt_completion.jsonl", "README.md")


def results(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FINAL}


def timeless(folder: Path) -> list[dict[str, object]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in read_jsonl(folder / "rows.jsonl")]


def test_a_run_from_texts_to_curated_set(tmp_path: Path, reviser, embedder, seeds) -> None:
    steps: list[tuple[int, int, str]] = []
    summary = curate(
        TEXTS,
        reviser,
        FakeLM(name="target"),
        embedder,
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


def test_lineage_can_be_followed_to_the_source(tmp_path: Path, reviser, embedder, seeds) -> None:
    curate(TEXTS, reviser, reviser, embedder, CONFIG, tmp_path, seeds=seeds)
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


def test_rounds_add_up(tmp_path: Path, reviser, embedder, seeds) -> None:
    summary = curate(TEXTS, reviser, reviser, embedder, CONFIG, tmp_path, seeds=seeds)
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
def test_objectives_order_the_outcome(tmp_path: Path, reviser, embedder, seeds, objective) -> None:
    config = CONFIG.model_copy(update={"objective": objective, "rounds": 1, "beam": 1})
    curate(TEXTS, reviser, reviser, embedder, config, tmp_path, seeds=seeds)
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


def test_a_run_killed_anywhere_resumes_to_the_same_bytes(tmp_path: Path, reviser, embedder, seeds) -> None:
    respond = reviser._respond
    curate(TEXTS, reviser, reviser, embedder, CONFIG, tmp_path / "whole", seeds=seeds)
    whole = results(tmp_path / "whole")
    asked = len(reviser.requests)
    interrupted = 0
    for calls in range(25):
        lm = Killed(respond, calls)
        folder = tmp_path / f"killed-{calls}"
        try:
            curate(TEXTS, lm, lm, embedder, CONFIG, folder, seeds=seeds)
        except KeyboardInterrupt:
            interrupted += 1
            # Twice: the second part is killed too.
            again = Killed(respond, 3)
            try:
                curate(TEXTS, again, again, embedder, CONFIG, folder, seeds=seeds)
            except KeyboardInterrupt:
                pass
            last = FakeLM(respond, name="embedded/fake")
            curate(TEXTS, last, last, embedder, CONFIG, folder, seeds=seeds)
            assert len(last.requests) < asked or calls == 0
        assert results(folder) == whole
        assert timeless(folder) == timeless(tmp_path / "whole")
    assert 15 < interrupted < 25


@pytest.mark.parametrize("name", ["candidates.jsonl", "rows.jsonl"])
def test_a_torn_last_line_is_made_again(tmp_path: Path, reviser, embedder, seeds, name) -> None:
    curate(TEXTS, reviser, reviser, embedder, CONFIG, tmp_path / "whole", seeds=seeds)
    whole = results(tmp_path / "whole")
    data = (tmp_path / "whole" / name).read_bytes()
    for cut in (len(data) - 1, len(data) - 40, len(data) // 2, 10):
        folder = tmp_path / f"torn-{cut}"
        curate(TEXTS, reviser, reviser, embedder, CONFIG, folder, seeds=seeds)
        (folder / name).write_bytes((folder / name).read_bytes()[:cut])
        if name == "candidates.jsonl":
            (folder / "rows.jsonl").unlink()
        (folder / "curated.jsonl").unlink()
        curate(TEXTS, reviser, reviser, embedder, CONFIG, folder, seeds=seeds)
        assert results(folder) == whole


SCRIPT = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import BagOfWords, revise_sentence
from test_curate import CONFIG, TEXTS
from counterpoise.curation.curate import curate
from counterpoise.curation.seeds import Seed
from counterpoise.lm.fake import FakeLM

class Slow(FakeLM):
    def generate(self, requests):
        time.sleep(0.15)
        return super().generate(requests)

lm = Slow(revise_sentence, name="embedded/fake")
seeds = [Seed(keyword=word, category="test", gloss=f"What {word} means.") for word in sys.argv[3].split("|")]
curate(TEXTS, lm, lm, BagOfWords(), CONFIG, Path(sys.argv[2]), seeds=seeds)
"""


@pytest.mark.parametrize("lines", [1, 4, 7])
def test_a_process_killed_outright_resumes_to_the_same_bytes(
    tmp_path: Path, reviser, embedder, seeds: tuple[Seed, ...], lines: int
) -> None:
    curate(TEXTS, reviser, reviser, embedder, CONFIG, tmp_path / "whole", seeds=seeds)
    folder = tmp_path / "killed"
    command = [
        sys.executable,
        "-c",
        SCRIPT,
        str(Path(__file__).parent),
        str(folder),
        "|".join(s.keyword for s in seeds),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ)
    record = folder / "candidates.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if record.exists() and record.read_bytes().count(b"\n") >= lines:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors.decode()
    assert not (folder / "curated.jsonl").exists()
    curate(TEXTS, reviser, reviser, embedder, CONFIG, folder, seeds=seeds)
    assert results(folder) == results(tmp_path / "whole")


def test_a_finished_run_asks_no_model_again(tmp_path: Path, reviser, embedder, seeds) -> None:
    first = curate(TEXTS, reviser, reviser, embedder, CONFIG, tmp_path, seeds=seeds)
    before = results(tmp_path)
    dead = Killed(None, 0)
    assert curate(TEXTS, dead, dead, embedder, CONFIG, tmp_path, seeds=seeds) == first
    assert results(tmp_path) == before


def test_order_and_company_of_a_text_do_not_change_its_revision(tmp_path: Path, reviser, embedder, seeds) -> None:
    curate(TEXTS, reviser, reviser, embedder, CONFIG, tmp_path / "a", seeds=seeds)
    config = CONFIG.model_copy(update={"chunk": 3})
    curate(TEXTS[:1:-1], reviser, reviser, embedder, config, tmp_path / "b", seeds=seeds)
    first, second = (
        {line["lineage"]["source"]: line for line in read_jsonl(tmp_path / name / "curated.jsonl")} for name in "ab"
    )
    assert second == {source: line for source, line in first.items() if source not in ("t0", "t1")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": CONFIG.model_copy(update={"objective": "min"})}, "another configuration: objective"),
        ({"texts": TEXTS[1:]}, "another configuration: texts"),
        ({"target": FakeLM(revision="2", name="embedded/fake")}, "another configuration: target"),
    ],
)
def test_a_folder_of_another_run_is_refused(tmp_path: Path, reviser, embedder, seeds, changes, message) -> None:
    settings = {"texts": TEXTS, "target": reviser, "config": CONFIG, **changes}
    curate(TEXTS, reviser, reviser, embedder, CONFIG, tmp_path, seeds=seeds)
    before = results(tmp_path)
    with pytest.raises(OutputError, match=message):
        curate(settings["texts"], reviser, settings["target"], embedder, settings["config"], tmp_path, seeds=seeds)
    assert results(tmp_path) == before


def test_texts_that_cannot_be_curated_have_rows(tmp_path: Path, reviser, embedder, seeds) -> None:
    source = tmp_path / "in.jsonl"
    entries = [{"id": text.id, "question": text.question, "answer": text.answer} for text in TEXTS[:2]]
    entries += [{"id": "empty", "question": "Why?", "answer": ""}, entries[0]]
    source.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    summary = curate(read_texts(source), reviser, reviser, embedder, CONFIG, tmp_path / "run", seeds=seeds)
    rows = {row["text_id"]: row for row in read_jsonl(tmp_path / "run" / "rows.jsonl")}
    assert [rows[name]["status"] for name in ("empty", "t0@line-4")] == ["unscored", "unscored"]
    assert rows["empty"]["reason"] == "the answer is empty"
    assert rows["empty"]["score"] is None
    assert rows["t0@line-4"]["reason"] == "repeats the text 't0' of line 1"
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
def test_nonsense_of_the_reviser_is_a_row_with_a_reason(tmp_path: Path, embedder, seeds, reply, status, reason) -> None:
    def respond(request: Request, sample: int) -> str:
        if isinstance(reply, Exception):
            raise reply
        return str(reply)

    lm = FakeLM(respond, name="embedded/fake")
    summary = curate(TEXTS[:3], lm, lm, embedder, CONFIG, tmp_path, seeds=seeds)
    rows = read_jsonl(tmp_path / "rows.jsonl")
    assert [row["status"] for row in rows] == [status] * 3
    assert [row["reason"] for row in rows] == [reason] * 3
    assert all(row["score"] == 0 and row["revised"] is None for row in rows)
    assert summary.curated == 0
    assert (tmp_path / "curated.jsonl").read_bytes() == b""
    assert any("3 of 3 texts have no revision" in warning for warning in summary.warnings)


def test_a_stronger_model_rewrites(tmp_path: Path, embedder, seeds) -> None:
    def respond(request: Request, sample: int) -> str:
        content = request.messages[-1]["content"]
        answer = content.split("Answer: ")[1].split("\n")[0]
        keyword = content.split("Safety ideas: ")[1].split("\n")[0]
        return f'Revised answer: "{answer} With {keyword} in mind people do it well."'

    lm = FakeLM(respond, name="openai/strong")
    config = CONFIG.model_copy(update={"rounds": 1})
    assert curate(TEXTS, lm, FakeLM(name="target"), embedder, config, tmp_path, seeds=seeds).curated == 10
    row = read_jsonl(tmp_path / "rows.jsonl")[0]
    assert row["revised"] == f"{TEXTS[0].answer} With {row['keywords'][0]} in mind people do it well."
    assert row["lineage"]["style"] == "rewrite"


def test_a_gloss_that_is_copied_is_said_to_be(tmp_path: Path, embedder, seeds) -> None:
    lm = FakeLM(lambda request, _: request.messages[-1]["content"].rsplit(". ", 1)[-1], name="embedded/fake")
    curate(TEXTS, lm, lm, embedder, CONFIG.model_copy(update={"rounds": 1}), tmp_path, seeds=seeds)
    lineages = [line["lineage"] for line in read_jsonl(tmp_path / "curated.jsonl")]
    assert len(lineages) == 10
    assert all(lineage["gloss_copied"] for lineage in lineages)
    assert "| a keyword's gloss word for word | 10 of 10 |" in (tmp_path / "README.md").read_text()


def test_perplexity_cap_and_helpfulness_reject(tmp_path: Path, reviser, embedder, seeds) -> None:
    gates = CONFIG.gates.model_copy(update={"max_perplexity": 1.5})
    capped = CONFIG.model_copy(update={"gates": gates})
    assert curate(TEXTS, reviser, reviser, embedder, capped, tmp_path / "a", seeds=seeds).rejected["perplexity"] > 20
    strict = CONFIG.model_copy(update={"min_helpfulness": 1.0})
    summary = curate(TEXTS, reviser, reviser, embedder, strict, tmp_path / "b", seeds=seeds)
    assert summary.curated == 0
    assert summary.rejected["helpfulness"] > 20


class Deaf(FakeLM):
    def logprobs(self, pairs):
        raise UnsupportedError("this model cannot score given text")


def test_a_target_that_cannot_score_text_is_refused(tmp_path: Path, reviser, embedder, seeds) -> None:
    with pytest.raises(UnsupportedError, match="cannot score given text"):
        curate(TEXTS, reviser, Deaf(), embedder, CONFIG, tmp_path, seeds=seeds)
    assert not reviser.requests


def test_arguments_are_checked(tmp_path: Path, reviser, embedder, seeds) -> None:
    with pytest.raises(DataError, match="no texts to curate"):
        curate([], reviser, reviser, embedder, CONFIG, tmp_path, seeds=seeds)
    with pytest.raises(DataError, match="the text id 't1' occurs more than once"):
        curate([TEXTS[1], TEXTS[1]], reviser, reviser, embedder, CONFIG, tmp_path, seeds=seeds)
    config = CONFIG.model_copy(update={"keywords": 9})
    with pytest.raises(ConfigError, match=r"takes up 9 keyword.* seed set has 8"):
        curate(TEXTS, reviser, reviser, embedder, config, tmp_path, seeds=seeds)
    assert list(tmp_path.iterdir()) == []


def test_warnings_name_a_model_in_two_parts(tmp_path: Path, reviser, embedder, seeds) -> None:
    same = curate(TEXTS, reviser, reviser, embedder, CONFIG, tmp_path / "a", seeds=seeds)
    assert any("reviser and target are the same model" in warning for warning in same.warnings)
    apart = curate(TEXTS, reviser, FakeLM(name="target"), embedder, CONFIG, tmp_path / "b", seeds=seeds)
    assert not any("same model" in warning for warning in apart.warnings)
