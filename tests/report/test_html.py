import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from counterpoise import __version__
from counterpoise.errors import DataError, OutputError
from counterpoise.report.html import build, write

GOLDEN = Path(__file__).parent / "golden" / "small.html"
GOLDEN_TOOLS = GOLDEN.with_name("tools.html")


@pytest.fixture
def small(make_folder, diagnosis_row, graph_row, curation_row, lab_rows, lab_cells):
    """One run of each kind, with a failure of each sort; gold helps from the graph on, and case 2 lacks a rung."""
    rungs = [(None, 0.0), ("variables", 0.0), ("graph", 1.0), ("intervention", 1.0), ("outcome", 1.0)]
    ladder = [
        diagnosis_row(
            case_id=f"c{case}", cluster=f"c{case}", mode="substitution" if upto else "chained", upto=upto, score=score
        )
        for case in range(3)
        for upto, score in rungs
        if (case, upto) != (2, "graph")
    ]
    return [
        make_folder(
            "diagnose",
            [
                graph_row(0, 3, 1, 0),
                graph_row(1, 0, 0, 3, "parse_failed", answer=None, completion="I think that rain causes floods."),
                graph_row(2, 1, 1, 2),
                diagnosis_row(),
                diagnosis_row(
                    case_id="c1", cluster="c1", status="model_failed", reason="timed out", score=0.0, answer=None
                ),
                *ladder,
            ],
            baselines=[
                *(graph_row(case, 2, 4, 1, model="baseline/constant-template") for case in range(3)),
                *(graph_row(case, 3, 0, 0, model="baseline/oracle") for case in range(3)),
            ],
            warnings=["crass: 2 items rejected"],
        ),
        make_folder(
            "curate",
            [
                curation_row(),
                curation_row(text_id="t1", perplexity_before=8.0, perplexity_after=6.0),
                curation_row(text_id="t2", revised=None, perplexity_after=None, helpfulness=None),
            ],
        ),
        make_folder("lab", lab_rows, cells=lab_cells, state="running"),
    ]


def test_golden_page(small):
    """Everything but the pictures. After a wanted change, run with COUNTERPOISE_GOLDEN=write and read what changed."""
    document = re.sub(r"<svg.*?</svg>", "<svg></svg>", build(small), flags=re.DOTALL)
    document = re.sub(r"<style>.*?</style>", "<style></style>", document, flags=re.DOTALL)
    document = document.replace(f"counterpoise {__version__}", "counterpoise VERSION")
    equals_golden(document, GOLDEN)


def equals_golden(document, golden):
    if os.environ.get("COUNTERPOISE_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(document, encoding="utf-8")
    assert document == golden.read_text(encoding="utf-8")


def test_page_is_well_formed_loads_nothing_and_runs_nothing(small, safe):
    document = build(small)
    page = safe(document)
    assert "http://" not in document
    assert "https://" not in document
    policies = [a["content"] for tag, a in page.elements if tag == "meta" and a.get("http-equiv")]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_page_says_what_a_reader_must_know(small, safe):
    text = " ".join(safe(build(small)).text.split())
    for words in (
        "diagnose-0123456789ab",
        "embedded/smollm2",
        "0f3e4c",
        "crass: 2 items rejected",
        "How to read this",
        "constant-template",
        "at baseline level",
        "parse failed",
        "model failed timed out",
        "is not complete: what follows rests on the 24 rows",
        "Texts with a revision that passed 67 %",
        "keyword-1",
        "Defence tokens",
        "Asks for something disallowed",
    ):
        assert words in text, words


def test_completions_to_disallowed_prompts_are_folded(small, safe):
    page = safe(build(small))
    sensitive = [a for tag, a in page.elements if tag == "details" and "sensitive" in (a.get("class") or "")]
    assert sensitive
    assert not [attributes for attributes in sensitive if "open" in attributes]


def test_same_rows_give_the_same_bytes(small):
    assert build(small) == build(small)


def test_hostile_text_is_text_everywhere(make_folder, diagnosis_row, curation_row, lab_row, hostile, safe):
    columns = {"status": "parse_failed", "reason": hostile, "score": 0.0}
    diagnosis = [
        diagnosis_row(
            case_id=hostile,
            cluster=hostile,
            dataset=hostile,
            model=hostile,
            mode=hostile,
            elicit=hostile,
            completion=hostile,
            answer={hostile: [hostile]},
            target=hostile,
            facets={hostile: hostile},
            measures={f"confusion:{hostile}>{hostile}": 1.0},
            stage=stage,
            **columns,
        )
        for stage in ("variables", "graph", "answer")
    ]
    curation = curation_row(
        text_id=hostile,
        model=hostile,
        question=hostile,
        original=hostile,
        revised=hostile,
        keywords=[hostile],
        **columns,
    )
    lab = lab_row(
        cell=hostile,
        attack=hostile,
        system=hostile,
        others={hostile: {"label": None, "reason": hostile, "values": {hostile: 1.0}}},
        model=hostile,
        prompt_id=hostile,
        prompt_set=hostile,
        prompt=hostile,
        completion=hostile,
        judge=hostile,
        cluster=hostile,
        label=None,
        **columns,
    )
    name = hostile.replace("\ud800", "")  # a manifest with a lone surrogate cannot be read at all
    fields = {
        "warnings": [name],
        "config": {"model": name, name: name},
        "facts": {name: name, "revision": name},
        "packages": {name: name},
        "started": name,
    }
    folders = [
        make_folder("diagnose", diagnosis, **fields, run=name),
        make_folder("curate", [curation], **fields, run=name + "2"),
        make_folder("lab", [lab], **fields, run=name + "3"),
    ]
    document = build(folders)
    page = safe(document)
    assert not {"script", "img", "a"} & (page.tags - {"a"})
    assert page.text.count("<script>alert(1)</script>") > 20
    assert "{{ 7*7 }}" in page.text
    for char in "\u202e\u2066\x00\x1b\x7f\x9f\u200b\ufeff":
        assert char not in document
    for raw in ("<script", "<img", "onload=alert(3)><a", "javascript:alert(4)'>\"'` {{ 49"):
        assert raw not in document


def test_a_huge_completion_is_cut_and_the_cut_is_named(make_folder, diagnosis_row, safe):
    document = build([make_folder("diagnose", [diagnosis_row(completion="word " * 200_000)])])
    assert len(document) < 400_000
    assert "996,000 more characters" in safe(document).text


@pytest.mark.parametrize("kind", ["diagnose", "curate", "lab", "verify"])
def test_a_run_without_rows_says_so(make_folder, kind, safe):
    text = safe(build([make_folder(kind, state="running")])).text
    assert "No rows yet" in text


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_one_half_alone_is_a_page(small, kept, safe):
    titles = {0: "Diagnosis", 1: "Curation", 2: "Customization"}
    sections = {a["id"] for tag, a in safe(build([small[kept]])).elements if tag == "section"}
    assert sections == {"summary", "reading", "runs", titles[kept].lower()}


def test_several_runs_of_one_kind_share_a_page(make_folder, diagnosis_row, safe):
    folders = [make_folder("diagnose", [diagnosis_row(model=name)], name=name) for name in ("one", "two")]
    text = " ".join(safe(build(folders)).text.split())
    assert "one one-0123456789ab" in text
    assert "two two-0123456789ab" in text
    assert text.count("Isolated mode, direct elicitation ") == 2


def test_every_mode_and_elicitation_has_its_place(diagnosed, safe):
    text = " ".join(safe(build([diagnosed(cases=6, elicits=["direct", "cot-sc", "tot"])])).text.split())
    for words in (
        "Names and values compared by normalised",
        "Baselines without a model oracle, majority",
        "Isolated mode, direct elicitation",
        "Chained mode, tot elicitation (k = 5)",
        "What each stage costs the end result",
        "Elicitation: cot-sc",
        "2 datasets pooled",
        "reading it off",
        "no gold (chained)",
        "gold up to abduction",
        "abduction is part of the pooled cost of the outcome",
        "Errors that are passed on",
        "Score and tokens per case",
        "At equal cost",
        "Graph measures and wrong edges",
        "Orientation",
        "Stage: answer, substitution mode",
        "sample 5 of 5",
    ):
        assert words in text, words
    assert "Substitution mode, direct elicitation" not in text


def test_a_run_that_lacks_rungs_says_which_and_shows_no_cost(diagnosed, safe):
    def lacks_graph(row):
        return None if row["upto"] == "graph" or row["mode"] == "isolated" else row

    text = " ".join(safe(build([diagnosed(cases=4, elicits=["direct"], edit=lacks_graph)])).text.split())
    assert "Not computed: no case has a scored answer with gold up to graph." in text
    assert "no case is scored in both modes" in text
    assert "Where the end result is lost" not in text
    assert "Elicitations and their cost" not in text


def test_hostile_names_are_text_in_every_mode(diagnosed, hostile, safe):
    def rename(row):
        model = row["model"] if row["model"].startswith("baseline/") else hostile
        row |= {"dataset": row["dataset"] + hostile, "model": model, "matcher": hostile}
        row["samples"] = [hostile] * len(row["samples"])
        if row["measures"]:
            row["measures"] |= {f"error:{hostile}": 1.0, f"confusion:{hostile}>x{hostile}": 1.0}
        return row if row["elicit"] != "tot" else row | {"elicit": hostile}

    document = build([diagnosed(cases=4, elicits=["direct", "cot-sc", "tot"], edit=rename)])
    page = safe(document)
    assert page.text.count("<script>alert(1)</script>") > 100
    for raw in ("<script", "<img", "onload=alert(3)><a", "javascript:alert(4)'>\"'` {{ 49"):
        assert raw not in document


def part_on_tools(document):
    """The part of the page about tools; empty when it has none."""
    found = re.search(r'<h4 class="part">Tools</h4>.*?(?=<h[234])', document, re.DOTALL)
    return found[0] if found else ""


def test_golden_part_on_tools(make_folder, aided_rows, tool_record, safe):
    """See :func:`test_golden_page`."""
    tools = [tool_record(0, exposure=(1, 0), outcome=(0, 1)), tool_record(1, exposure=(0, 1), mediator=(1, 1))]
    document = build([make_folder("diagnose", aided_rows, tools=tools)])
    text = " ".join(safe(document).text.split())
    for words in (
        "tools against the same elicitation without them, isolated mode: hints are clearly better on 1 and",
        "no gain by calls is distinguishable from 0 (1 compared; largest change: answer on scm-text",
        "An extraction tool lists what a program finds",
        "Isolated mode, direct+hints elicitation",
    ):
        assert words in text, words
    equals_golden(part_on_tools(document), GOLDEN_TOOLS)


def test_without_tools_the_page_says_nothing_of_them(small, safe):
    document = build(small)
    assert part_on_tools(document) == ""
    assert "tool" not in safe(document).text.lower()


def test_a_run_with_tools_only_shows_what_they_find_and_no_gain(make_folder, diagnosis_row, tool_record):
    rows = [diagnosis_row(elicit="direct+hints")]
    folder = make_folder("diagnose", rows, tools=[tool_record(0, exposure=(1, 0))])
    part = " ".join(part_on_tools(build([folder])).split())
    assert "there is no gain to show" in part
    assert "What the tool finds by itself" in part
    bare = make_folder("diagnose", rows, name="bare")
    part = part_on_tools(build([bare]))
    assert "there is no gain to show" in part
    assert "What the tool finds by itself" not in part


def test_a_gain_without_a_common_case_says_so(make_folder, diagnosis_row):
    rows = [diagnosis_row(), diagnosis_row(case_id="c1", cluster="c1", elicit="direct+hints")]
    assert "no case is scored both ways" in part_on_tools(build([make_folder("diagnose", rows)]))


def test_tools_are_shown_with_the_run_that_they_are_from(make_folder, diagnosis_row, tool_record):
    folders = [
        make_folder(
            "diagnose",
            [diagnosis_row(model=name)],
            tools=[tool_record(0, tool=f"{name} 1.0", outcome=(1, 0))],
            name=name,
        )
        for name in ("one", "two")
    ]
    first, second = build(folders).split('<h4 class="part">Tools</h4>')[1:]
    assert "one 1.0" in first
    assert "two 1.0" not in first
    assert "two 1.0" in second


def test_hostile_names_of_tools_are_text(make_folder, diagnosis_row, tool_record, hostile, safe):
    rows = [
        diagnosis_row(elicit=way, dataset=hostile, mode=hostile, model=hostile)
        for way in (hostile, f"{hostile}+{hostile}")
    ]
    record = tool_record(0, dataset=hostile, tool=hostile, outcome=(1, 0))
    document = build([make_folder("diagnose", rows, tools=[record])])
    page = safe(document)
    # Gain: dataset, mode, elicitation and use; recall: dataset and tool.
    assert part_on_tools(document).count("&lt;script&gt;alert(1)&lt;/script&gt;") == 6
    assert "{{ 7*7 }}" in page.text
    for raw in ("<script", "<img", "onload=alert(3)><a", "javascript:alert(4)'>\"'` {{ 49"):
        assert raw not in document
    for char in "\u202e\u2066\x00\x1b\x7f\x9f\u200b\ufeff":
        assert char not in document


def test_write_replaces_the_file_or_says_why_not(small, tmp_path):
    out = tmp_path / "report.html"
    out.write_text("old")
    write(small, out)
    assert out.read_text(encoding="utf-8") == build(small)
    with pytest.raises(OutputError, match="cannot write"):
        write(small, tmp_path / "absent" / "report.html")


def test_a_failing_report_leaves_the_old_file(tmp_path):
    out = tmp_path / "report.html"
    out.write_text("old")
    with pytest.raises(DataError):
        write([tmp_path / "absent"], out)
    assert out.read_text() == "old"


@pytest.mark.browser
def test_page_opens_in_a_browser_without_errors_or_requests(small, tmp_path):
    browser = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if browser is None:
        pytest.skip("needs a Chromium on the path")
    out = tmp_path / "report.html"
    write(small, out)
    log = tmp_path / "net.json"
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--enable-logging=stderr",
        f"--log-net-log={log}",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--dump-dom",
        out.as_uri(),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in result.stderr, result.stderr
    assert "What-if reasoning and safety under customization" in result.stdout
    assert "at baseline level" in result.stdout
    assert result.stdout.count("<svg") == build(small).count("<svg")
    assert "<script" not in result.stdout
    # The browser asks its maker's servers for the time and for updates whatever page it opens; a page has no such host.
    hosts = set(re.findall(r'"url":"https?://([^/"]+)', log.read_text(encoding="utf-8", errors="replace")))
    assert {host for host in hosts if not host.endswith((".google.com", ".googleapis.com"))} == set()
