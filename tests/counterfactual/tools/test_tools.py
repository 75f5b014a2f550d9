"""What holds for every tool, and how one is opened."""

import subprocess
import sys
import time

import pytest

from counterpoise.counterfactual.suite.config import GenerateConfig
from counterpoise.counterfactual.suite.generate import generate
from counterpoise.counterfactual.tools import Finding, Tool, open_tool
from counterpoise.counterfactual.tools.tool import visible
from counterpoise.errors import DataError, MissingExtraError, UnknownNameError, UnsupportedError, UsageError


def test_a_tool_says_what_it_is(tool):
    assert isinstance(tool, Tool)
    assert tool.name.count(" ") == 1
    assert tool.name.split()[1] in tool.version
    assert "rules" in tool.version
    assert tool.description
    assert "\n" not in tool.description


def test_hostile_texts_neither_raise_nor_stall(tool, hostile, checked):
    start = time.process_time()
    checked(tool.run(hostile))
    # A second or so where it is slowest; without bounds these take from a minute to for ever.
    assert time.process_time() - start < 8


def test_rubbish_gives_the_same_findings_every_time(tool, rubbish, checked):
    found = [tool.run(text) for text in rubbish]
    for one in found:
        checked(one)
    assert any(found)
    assert [open_tool(tool.modality).run(text) for text in rubbish] == found


@pytest.mark.parametrize("name", ["gate", "total", "lamp"])
def test_the_gold_is_never_read(tool, hand, name):
    case = hand[name]
    bare = case.model_copy(
        update={
            "variables": (),
            "edges": (),
            "intervention": {},
            "exogenous": (),
            "mechanisms": (),
            "execution": None,
            "target": "zyzzyva 4711",
            "facets": {"zyzzyva": "4711"},
            "source": "def zyzzyva(): return 4711",
            "id": "zyzzyva",
            "cluster": "zyzzyva",
        }
    )
    assert tool.find(bare) == tool.find(case) == tool.run(visible(case))


def test_context_question_and_options_are_read(gate, total):
    phrases = [finding.text for finding in open_tool("text").find(gate)]
    assert {"keeper", "lever", "boat"} <= set(phrases)
    one = gate.model_copy(update={"context": "", "question": "", "options": ("A swan sings.",)})
    assert [finding.text for finding in open_tool("text").find(one)] == ["swan"]
    numerals = [(finding.text, finding.detail) for finding in open_tool("mathematics").find(total)]
    assert ("17", "") in numerals
    assert ("base 8", "8") in numerals


@pytest.mark.parametrize(
    ("name", "modality"), [("scm-text", "text"), ("scm-math", "mathematics"), ("scm-code", "code")]
)
def test_generated_cases_give_findings(name, modality, checked):
    tool = open_tool(modality)
    for index in range(10):
        case = generate(GenerateConfig(suite=name), 1, index)
        found = tool.find(case)
        checked(found)
        assert len(found) >= 5
        assert tool.find(case) == found


def test_unknown_tools():
    with pytest.raises(
        UnknownNameError, match=r"unknown modality 'texts'; expected one of code, .*; did you mean 'text'"
    ):
        open_tool("texts")
    with pytest.raises(UnknownNameError, match="unknown text tool 'spacy'; expected one of ner:FOLDER, textblob"):
        open_tool("text", "spacy")
    with pytest.raises(UnknownNameError, match="unknown mathematics tool 'ner:x'; expected one of pint"):
        open_tool("mathematics", "ner:x")
    with pytest.raises(UnknownNameError, match="unknown code tool ''; expected one of ast"):
        open_tool("code", "")


def test_tools_by_their_names():
    assert open_tool("text", "textblob").name.startswith("textblob ")
    assert open_tool("mathematics", "pint").name.startswith("pint ")
    assert open_tool("code", "ast").name.startswith("ast ")


def test_a_model_that_is_not_named():
    with pytest.raises(
        UsageError, match=r"the image tool needs .*; name its folder with --extractor image=FOLDER, such"
    ) as no:
        open_tool("image")
    assert "google/owlvit-base-patch32" in str(no.value)
    with pytest.raises(UsageError, match="the text tool 'ner:' needs a model folder; name it, such as"):
        open_tool("text", "ner:")


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(DataError, match=r"no model in folder .*; expected config\.json"):
        open_tool("text", f"ner:{tmp_path}")
    with pytest.raises(DataError, match=r"no model in folder .*; expected config\.json"):
        open_tool("image", str(tmp_path))


def test_entities_of_a_model_in_a_folder(tiny_tagger, gate, checked):
    tool = open_tool("text", f"ner:{tiny_tagger}")
    assert isinstance(tool, Tool)
    assert (tool.name, tool.modality, len(tool.version)) == ("ner model", "text", 16)
    case = gate.model_copy(
        update={"context": "Ada Lovelace is in Paris.", "question": "Is Ada the one?", "options": ()}
    )
    assert tool.find(case) == [
        Finding("named entity", "Ada Lovelace", "PER"),
        Finding("named entity", "Paris", "LOC"),
        Finding("named entity", "Ada", "PER"),
    ]
    for text in ("", "\0", "\ud800 Ada", "(" * 30_000, "Ada, " * 9_000):
        checked(tool.run(text))


def test_boxes_of_a_model_in_a_folder(tiny_detector, tiny_tagger, checked):
    tool = open_tool("image", str(tiny_detector))
    assert isinstance(tool, Tool)
    assert (tool.name, tool.modality) == ("detector model", "image")
    assert "textblob" in tool.version
    with pytest.raises(UnsupportedError, match="is of the kind 'bert'"):
        open_tool("image", str(tiny_tagger))


@pytest.mark.parametrize(("modality", "package"), [("text", "textblob"), ("mathematics", "pint")])
def test_a_package_that_is_not_installed(monkeypatch, modality, package):
    """Both ways to lack it: it cannot be imported, or it is not there at all."""
    from counterpoise.counterfactual.tools import text, tool, units

    expected = rf"needs the package '{package}'; install it with: pip install 'counterpoise\[tools\]'"
    for read in (text._read_lexicon, units._registry):
        read.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=expected):
        open_tool(modality)

    def absent(name):
        raise tool.PackageNotFoundError(name)

    monkeypatch.setattr(tool, "version", absent)
    with pytest.raises(MissingExtraError, match=expected):
        open_tool(modality)


def test_opening_is_light():
    heavy = {"torch", "transformers", "textblob", "pint", "PIL"}
    script = (
        "import sys; from counterpoise.counterfactual.tools import open_tool; "
        f"print(*sorted({heavy} & set(sys.modules))); open_tool('code').run('x = 1'); "
        f"print(*sorted({heavy} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
