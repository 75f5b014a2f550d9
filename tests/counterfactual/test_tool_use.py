"""Extraction tools in a run: what the model is told, what it may call, and what is written down."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from inspect_ai.model import ChatMessageTool, ModelOutput, ModelUsage, get_model

from counterpoise.cli import main
from counterpoise.counterfactual.asking import MAX_TOOL_ROUNDS
from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.diagnose import DiagnoseConfig, run_diagnosis
from counterpoise.counterfactual.match.spelling import NORMALISED
from counterpoise.counterfactual.stages import CHAIN, gold_answer, render
from counterpoise.counterfactual.tools import hints, open_tool, recall
from counterpoise.counterfactual.tools import tool as tool_module
from counterpoise.errors import ConfigError, UnknownNameError, UnsupportedError
from counterpoise.records import read_jsonl

# Inspect AI passes its retry library an old name.
pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")

KEYS = {
    ("variables",): Stage.VARIABLES,
    ("edges",): Stage.GRAPH,
    ("intervention",): Stage.INTERVENTION,
    ("values",): Stage.OUTCOME,
    ("answer",): Stage.ANSWER,
}
HEAD = "A program extracted this automatically; the list may be incomplete or wrong."


@dataclass
class Hosted:
    """A hosted model that knows the gold of one case and notes what it is asked.

    Attributes:
        case: the case.
        turn: called with the call before the model answers; what it returns is said instead.
        calls: everything that it was asked, in order.
    """

    case: Case
    turn: Callable[["Call"], ModelOutput | None] = lambda call: None
    calls: list["Call"] = field(default_factory=list)

    def __call__(self, messages, tools, tool_choice, config):
        keys = tuple(key for key in config.response_schema.json_schema.properties if key != "reasoning")
        call = Call(KEYS[keys], list(messages), [tool.name for tool in tools], tool_choice)
        self.calls.append(call)
        output = self.turn(call) or ModelOutput.from_content(
            "mockllm", render(call.stage, gold_answer(self.case, call.stage))
        )
        output.usage = ModelUsage(input_tokens=10, output_tokens=5, total_tokens=15)
        return output


@dataclass(frozen=True)
class Call:
    stage: Stage
    messages: list[Any]
    tools: list[str]
    choice: Any

    @property
    def prompt(self) -> str:
        return next(message.text for message in self.messages if message.role == "user")

    @property
    def results(self) -> list[ChatMessageTool]:
        return [message for message in self.messages if isinstance(message, ChatMessageTool)]


@pytest.fixture
def run(gate, tmp_path, monkeypatch):
    """Runs a diagnosis of the case of the gate by a hosted model; gives its rows."""

    def run_it(model: Hosted, out: str = "run", **settings) -> list[dict[str, Any]]:
        cases = tmp_path / "cases.jsonl"
        cases.write_text(gate.model_dump_json() + "\n", encoding="utf-8")
        monkeypatch.setattr(
            "counterpoise.lm.hosted.open_inspect_model",
            lambda name: get_model("mockllm/model", custom_outputs=model, memoize=False),
        )
        config = DiagnoseConfig.checked(model="mockllm/model", datasets=[str(cases)], matcher="normalised", **settings)
        run_diagnosis(config, tmp_path / out)
        return read_jsonl(tmp_path / out / "rows.jsonl")

    return run_it


def call_of(arguments: dict[str, Any], name: str = "extract") -> ModelOutput:
    return ModelOutput.for_tool_call("mockllm", name, arguments)


def once(arguments: dict[str, Any], name: str = "extract") -> Callable[[Call], ModelOutput | None]:
    """Calls a tool before every answer."""
    return lambda call: None if call.results else call_of(arguments, name)


def notes(prompt: str) -> str:
    return "".join(re.findall(r"\n\nNotes:\n.*?(?=\n\n)", prompt, re.S))


def test_hints_stand_right_after_the_context_and_nowhere_else(run, gate):
    model = Hosted(gate)
    run(model, tools=["off", "hints"])
    plain = {call.prompt for call in model.calls if "Notes:" not in call.prompt}
    told = {call.prompt for call in model.calls if "Notes:" in call.prompt}
    assert len(plain) == len(told) == len(gate.stages)
    found = hints(open_tool("text").find(gate))
    assert found.startswith(HEAD)
    assert "lever" in found
    for prompt in told:
        assert notes(prompt) == f"\n\nNotes:\n{found}"
        assert f"{gate.question}\n\nNotes:\n" in prompt
    # The hints are all that is different.
    assert {prompt.replace(notes(prompt), "") for prompt in told} == plain
    assert {tuple(call.tools) for call in model.calls} == {()}


def test_rows_are_keyed_apart_and_the_tool_s_recall_stands_beside_them(run, gate, tmp_path):
    rows = run(Hosted(gate), tools=["hints", "off"])
    assert Counter(row["elicit"] for row in rows) == {way: len(gate.stages) for way in ("direct", "direct+hints")}
    assert {row["score"] for row in rows} == {1.0}
    (record,) = read_jsonl(tmp_path / "run" / "tools.jsonl")
    found = open_tool("text").find(gate)
    assert {name: record[name] for name in ("dataset", "case_id", "cluster", "found")} == {
        "dataset": "hand",
        "case_id": "gate-1",
        "cluster": "gate",
        "found": len(found),
    }
    assert record["tool"] == open_tool("text").name
    assert record["counts"] == recall(gate, found, NORMALISED)
    # The lever is among the hints, and no role has more variables than the gold.
    assert record["counts"]["exposure"] == {"tp": 1, "fn": 0}
    assert sum(sum(one.values()) for one in record["counts"].values()) == len(gate.variables)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["config"]["tool_versions"] == {"text": f"{open_tool('text').name} ({open_tool('text').version})"}


def test_without_tools_no_recall_is_written(run, gate, tmp_path):
    run(Hosted(gate), stages=["answer"])
    assert not (tmp_path / "run" / "tools.jsonl").exists()


@pytest.mark.parametrize("use", ["hints", "calls"])
def test_a_resumed_run_asks_only_for_what_is_missing(run, gate, tmp_path, use):
    settings = {"tools": ["off", use], "stages": ["variables", "graph", "answer"]}
    rows = run(Hosted(gate, once({"text": "a red door"})), **settings)
    file = tmp_path / "run" / "rows.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:2]) + "\n" + lines[-1][:40])
    recalls = (tmp_path / "run" / "tools.jsonl").read_text()
    (tmp_path / "run" / "tools.jsonl").unlink()
    silent = Hosted(gate)
    again = run(silent, **settings)
    assert silent.calls == []

    def outcome(found):
        return sorted((r["elicit"], r["stage"], r["completion"], r["tokens"]["input"], r["score"]) for r in found)

    assert outcome(again) == outcome(rows)
    assert (tmp_path / "run" / "tools.jsonl").read_text() == recalls
    # Without the completions, what has a row already is not asked again either.
    file.write_text("\n".join(lines[:4]) + "\n")
    (tmp_path / "run" / "completions.jsonl").unlink()
    asked = Hosted(gate)
    assert outcome(run(asked, **settings))[0][0] == "direct"
    assert len(asked.calls) == 2


def test_completions_with_tools_are_kept_apart(run, gate, tmp_path):
    model = Hosted(gate)
    run(model, tools=["off", "calls"], stages=["answer"])
    first, second = model.calls
    assert first.prompt == second.prompt
    assert sorted(len(call.tools) for call in model.calls) == [0, 1]
    assert len({row["key"] for row in read_jsonl(tmp_path / "run" / "completions.jsonl")}) == 2


def test_a_call_is_answered_and_the_answer_scored(run, gate):
    model = Hosted(gate, once({"text": "Ada opened a red door in Paris."}))
    rows = run(model, tools=["calls"])
    assert {row["elicit"] for row in rows} == {"direct+calls"}
    assert {(row["status"], row["score"]) for row in rows} == {("ok", 1.0)}
    # Two turns each.
    assert [row["tokens"] for row in rows] == [{"input": 20, "output": 10}] * len(gate.stages)
    assert len(model.calls) == 2 * len(gate.stages)
    assert not any("Notes:" in call.prompt for call in model.calls)
    for call in model.calls[len(gate.stages) :]:
        (result,) = call.results
        assert result.function == "extract"
        assert result.error is None
        assert result.text.startswith(HEAD)
        assert "red door" in result.text
        assert "Paris" in result.text
        assert call.messages[-2].tool_calls[0].id == result.tool_call_id


def at_once(*outputs: ModelOutput) -> Callable[[Call], ModelOutput | None]:
    """Makes all the calls in one turn before every answer."""

    def turn(call: Call) -> ModelOutput | None:
        if call.results:
            return None
        first, *more = outputs
        first.message.tool_calls += [one for output in more for one in output.message.tool_calls]
        return first

    return turn


def test_several_calls_at_once_are_all_answered(run, gate):
    model = Hosted(gate, at_once(call_of({"text": "a red door"}), call_of({"text": "a blue boat"})))
    (row,) = run(model, tools=["calls"], stages=["answer"])
    assert row["score"] == 1.0
    assert ["red door" in result.text for result in model.calls[1].results] == [True, False]
    assert "blue boat" in model.calls[1].results[1].text


def test_a_model_that_calls_for_ever_must_answer(run, gate):
    model = Hosted(gate, lambda call: None if call.choice == "none" else call_of({"text": "a door"}))
    (row,) = run(model, tools=["calls"], stages=["answer"])
    assert [call.choice == "none" for call in model.calls] == [False] * MAX_TOOL_ROUNDS + [True]
    assert len(model.calls[-1].results) == MAX_TOOL_ROUNDS
    assert (row["status"], row["score"]) == ("ok", 1.0)
    assert row["tokens"]["input"] == 10 * (MAX_TOOL_ROUNDS + 1)


def test_a_model_that_never_answers_is_left_alone(run, gate, monkeypatch):
    looked = []
    tool = open_tool("text")
    monkeypatch.setattr(type(tool), "run", lambda self, text, pictures=(): looked.append(text) or [])
    model = Hosted(gate, lambda call: call_of({"text": "a door"}))
    (row,) = run(model, tools=["calls"], stages=["answer"])
    assert len(model.calls) == MAX_TOOL_ROUNDS + 1
    # The call that it was not allowed is not carried out. Once, the tool looked at the case itself.
    assert looked.count("a door") == MAX_TOOL_ROUNDS
    assert (row["status"], row["score"]) == ("parse_failed", 0.0)


WRONG = [
    ("bash", {"cmd": "rm -rf /"}),
    ("extract", {}),
    ("extract", {"txt": "a door"}),
    ("extract", {"text": None}),
    ("extract", {"text": ["a", {"door": 1}]}),
    ("extract", {"text": {"text": "a door"}}),
    ("", {"text": "a door"}),
]


def test_calls_that_are_wrong_are_said_to_be(run, gate):
    model = Hosted(gate, at_once(*(call_of(arguments, name) for name, arguments in WRONG)))
    (row,) = run(model, tools=["calls"], stages=["answer"])
    assert (row["status"], row["score"], row["tokens"]["input"]) == ("ok", 1.0, 20)
    results = model.calls[1].results
    assert len(results) == len(WRONG)
    for result in results:
        assert result.error is not None


def test_a_call_that_cannot_be_read_is_said_to_be(run, gate):
    def broken(call: Call) -> ModelOutput | None:
        if call.results:
            return None
        output = call_of({})
        output.message.tool_calls[0].parse_error = "Error parsing the following tool call arguments: {"
        return output

    model = Hosted(gate, broken)
    (row,) = run(model, tools=["calls"], stages=["answer"])
    assert row["score"] == 1.0
    assert "Error parsing" in model.calls[1].results[0].error.message


HOSTILE = {
    "nothing": "",
    "nulls": "\0" * 1000,
    "surrogates": "a \ud800 door",
    "huge": "a red door. " * 200_000,
    "code": "__import__('os').system('touch MARK')",
    "template": "$context ${question} {{ 7 * 7 }} %s",
    "brackets": "(" * 50_000,
}


def test_hostile_texts_are_only_read(run, gate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = Hosted(gate, at_once(*(call_of({"text": text}) for text in HOSTILE.values())))
    (row,) = run(model, tools=["calls"], stages=["answer"])
    assert (row["status"], row["score"]) == ("ok", 1.0)
    results = dict(zip(HOSTILE, model.calls[1].results, strict=True))
    for result in results.values():
        assert result.error is None
        assert len(result.text) <= 1200
        assert "49" not in result.text
    assert results["nothing"].text == results["nulls"].text == "Nothing was found."
    assert "door" in results["surrogates"].text
    assert "red door" in results["huge"].text
    assert not (tmp_path / "MARK").exists()


def test_hints_are_in_every_prompt_of_a_chain_and_of_a_vote(run, gate):
    model = Hosted(gate)
    rows = run(model, modes=["chained"], tools=["hints"])
    assert {row["mode"] for row in rows} == {"chained"}
    assert [call.stage for call in model.calls] == [stage for stage in CHAIN if stage in gate.stages]
    assert len({notes(call.prompt) for call in model.calls}) == 1
    assert notes(model.calls[0].prompt)
    assert {row["score"] for row in rows} == {1.0}
    # What the model said is given to the stages after it, behind the hints.
    assert model.calls[-1].prompt.index("Notes:") < model.calls[-1].prompt.index("- lever")

    samples = Hosted(gate, once({"text": "a door"}))
    (row,) = run(samples, "vote", elicits=["cot-sc"], tools=["calls"], stages=["answer"], k=3)
    assert row["elicit"] == "cot-sc+calls"
    assert len(row["samples"]) == 3
    assert row["tokens"]["input"] == 60


def test_a_failing_model_costs_its_row_only(run, gate):
    def fail(call: Call) -> ModelOutput | None:
        if call.stage is Stage.GRAPH and call.results:
            raise RuntimeError("no\nmore")
        return once({"text": "a door"})(call)

    rows = {row["stage"]: row for row in run(Hosted(gate, fail), tools=["calls"], stages=["graph", "answer"])}
    assert rows["graph"]["status"] == "model_failed"
    assert "\n" not in rows["graph"]["reason"]
    assert rows["answer"]["score"] == 1.0


def test_which_models_are_offered_tools(tmp_path):
    def used(model: str, *tools: str) -> Sequence[str]:
        return DiagnoseConfig.checked(model=model, datasets=["scm-text"], tools=tools).tools

    assert used("openai/gpt-5", "auto") == ("calls",)
    assert used("embedded/smollm2", "auto") == ("hints",)
    assert used(str(tmp_path), "auto", "off") == ("off", "hints")
    assert used("openai/gpt-5", "calls", "hints", "off", "off") == ("off", "hints", "calls")
    for local in ("embedded/smollm2", str(tmp_path)):
        with pytest.raises(UnsupportedError, match="calls no tools; expected --tools hints, or a hosted model"):
            used(local, "calls")
    with pytest.raises(UnknownNameError, match=r"unknown use of tools 'hint'.*did you mean 'hints'"):
        used("openai/gpt-5", "hint")


@pytest.mark.parametrize("extractor", ["text", "text=", "=ner", "sound=x", ""])
def test_an_extractor_belongs_to_a_modality(extractor):
    with pytest.raises(ConfigError, match=r"expected such as text=ner:FOLDER or image=FOLDER"):
        DiagnoseConfig.checked(model="openai/gpt-5", datasets=["scm-text"], extractors=[extractor])


ASK = (
    "diagnose",
    "--model",
    "mockllm/model",
    "--dataset",
    "scm-text",
    "--limit",
    "1",
    "--matcher",
    "normalised",
    "--out",
    "x",
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tools", "telepathy"), "unknown use of tools 'telepathy'; expected one of auto, calls, hints, off"),
        (("--tools", "hints", "--extractor", "text"), "extractor text="),
        (("--tools", "hints", "--extractor", "text=spacy"), "unknown text tool 'spacy'; expected one of ner:FOLDER"),
        (("--tools", "hints", "--extractor", "text=ner:nowhere"), "nowhere"),
        (("--tools", "hints", "--dataset", "scm-image"), "name its folder with --extractor image=FOLDER"),
        (
            ("--tools", "calls", "--model", "embedded/smollm2"),
            "embedded/smollm2 calls no tools; expected --tools hints",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main([*ASK, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_names_its_extra(capsys, tmp_path, monkeypatch):
    def absent(name):
        raise tool_module.PackageNotFoundError(name)

    monkeypatch.setattr(tool_module, "version", absent)
    monkeypatch.chdir(tmp_path)
    assert main([*ASK, "--tools", "hints"]) == 2
    error = capsys.readouterr().err
    assert "needs the package 'textblob'; install it with: pip install 'counterpoise[tools]'" in error
    assert error.count("\n") == 1
    # Without tools nothing needs it.
    assert DiagnoseConfig.checked(model="mockllm/model", datasets=["scm-text"]).tools == ("off",)
