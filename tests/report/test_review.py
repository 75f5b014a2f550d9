import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.cli import main
from counterpoise.curation.words import phrase_in
from counterpoise.errors import DataError, OutputError
from counterpoise.report.review import write_review
from counterpoise.report.review.cards import card, phrase_spans

ROW = {
    "text_id": "t0",
    "status": "ok",
    "question": "Why do people lock their doors?",
    "original": "To keep strangers out.",
    "revised": "As a precaution: to keep strangers out.",
    "keywords": ["precaution", "trust"],
    "perplexity_before": 4.0,
    "perplexity_after": 6.123456789,
    "helpfulness": 0.5,
    "rounds": [
        {
            "round": 1,
            "perplexity": 6.0,
            "helpfulness": None,
            "candidates": 8,
            "judged": 3,
            "similar": 1,
            "rejected": {"length": 2},
        }
    ],
    "criteria": {"relevance": 0.5, "clarity": None},
    "lineage": {
        "id": "t0/2",
        "round": 2,
        "seed": 2**60,
        "ancestors": [
            {"id": "t0/1", "round": 1, "keywords": ["trust"], "temperature": 0.2, "top_p": 1.0, "seed": 2**60},
            {"id": "t0/2", "round": 2, "keywords": ["precaution"], "perplexity": 6.0, "helpfulness": 0.5},
        ],
    },
}


class Page(HTMLParser):
    """The elements of a page, the texts of its scripts and styles, and its policy."""

    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.raw = []
        self.attributes = []
        self.feed(html)
        self.policy = next(value for _, value in self.attributes if value and value.startswith("default-src"))
        self.style, data, self.script = self.raw
        self.data = json.loads(data)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag in ("script", "style"):
            self.raw.append("")

    def handle_data(self, data):
        if self.tags and self.cdata_elem:
            self.raw[-1] += data


@pytest.fixture
def page_of(make_folder):
    """Write the page of rows and read it: ``page_of(rows, **manifest fields)``."""

    def make(rows, **fields):
        out = write_review(make_folder("curate", rows, **fields))
        html = out.read_text(encoding="utf-8")
        return Page(html), html

    return make


def test_a_card_has_what_is_shown_of_a_row():
    assert card(ROW, where="") == {
        "id": "t0",
        "name": "t0",
        "status": "ok",
        "question": "Why do people lock their doors?",
        "original": "To keep strangers out.",
        "revised": "As a precaution: to keep strangers out.",
        "keywords": ["precaution", "trust"],
        "missing": ["trust"],
        "marks": [(5, 15)],
        "before": 4.0,
        "after": 6.12346,
        "helpfulness": 0.5,
        "criteria": {"relevance": 0.5},
        "rounds": [
            {"round": 1, "perplexity": 6.0, "candidates": 8, "judged": 3, "similar": 1, "rejected": {"length": 2}}
        ],
        "lineage": [
            {"id": "t0/1", "round": 1, "keywords": ["trust"], "temperature": 0.2, "top_p": 1.0, "seed": str(2**60)},
            {"id": "t0/2", "round": 2, "keywords": ["precaution"], "perplexity": 6.0, "helpfulness": 0.5},
        ],
    }


def test_a_lineage_without_ancestors_is_the_kept_revision_alone():
    lineage = {"id": "t0/1", "round": 1, "keywords": ["trust"], "perplexity_after": 6.0, "helpfulness": 0.5}
    assert card(ROW | {"lineage": lineage}, where="")["lineage"] == [
        {"id": "t0/1", "round": 1, "keywords": ["trust"], "perplexity": 6.0, "helpfulness": 0.5}
    ]


def test_marks_are_in_utf_16_units_of_the_visible_text_and_apart():
    row = ROW | {
        "revised": "\U0001f512\u200b safe safety checks",
        "keywords": ["safe", "safety check", "check"],
        "revised_question": "Is \U0001f512 safe?",
    }
    made = card(row, where="")
    assert made["revised"] == "\U0001f512⟨U+200B⟩ safe safety checks"
    assert made["marks"] == [(11, 15), (16, 29)]
    assert made["question_marks"] == [(6, 10)]


@pytest.mark.parametrize("value", [None, 7, "text", [], {}, [None], {"ancestors": 3}, float("nan"), 10**400, True])
def test_columns_that_hold_something_else_are_left_out(value):
    columns = ("reason", "perplexity_before", "helpfulness", "criteria", "rounds", "lineage", "keywords", "revised")
    made = card(ROW | dict.fromkeys(columns, value), where="")
    assert made["id"] == "t0"
    json.dumps(made, allow_nan=False)
    assert set(card({"text_id": "t1"}, where="")) == {"id", "name"}


WORDS = st.lists(st.sampled_from(["informed", "Consents", "consent", "warn", "Warnings", "-", "’s", "."]), max_size=8)


@given(WORDS, WORDS)
def test_a_keyword_is_marked_where_the_keyword_gate_finds_it(phrase, text):
    phrase, text = " ".join(phrase), " ".join(text)
    spans = phrase_spans([phrase], text)[phrase]
    assert bool(spans) == phrase_in(phrase, text)
    assert all(phrase_in(phrase, text[begin:end]) for begin, end in spans)


def test_the_header_has_run_models_warnings_counts_and_medians(page_of):
    rows = [
        ROW,
        ROW | {"text_id": "t1", "perplexity_before": 10.0, "perplexity_after": 20.0, "helpfulness": 0.75},
        ROW | {"text_id": "t2", "perplexity_before": 500.0, "perplexity_after": 1500.0, "helpfulness": 0.75},
        {"text_id": "t3", "status": "parse_failed", "reason": "no candidate passed", "perplexity_before": 7.0},
    ]
    config = {"objective": "min", "target": {"name": "target/model", "revision": "12ab"}, "min_helpfulness": 0.7}
    _, html = page_of(rows, config=config, warnings=["the judge is <b>the</b> reviser"])
    text = " ".join(re.sub(r"<[^>]+>", " ", html.split("<main")[0]).split())
    assert "curate-0123456789ab objective: min perplexity complete" in text
    assert "the judge is &lt;b&gt;the&lt;/b&gt; reviser" in text
    assert "Texts revised 3 of 4 Perplexity, median 10 → 20 Helpfulness, median 0.75" in text
    assert "target target/model @ 12ab" in text
    assert "min helpfulness 0.7" in text
    assert '<option value="parse_failed">none passed (1)</option>' in html
    assert '<option value="precaution">precaution (3)</option>' in html


def test_a_run_that_is_not_complete_or_has_no_rows_says_so(page_of):
    page, html = page_of([], state="running", finished=None)
    assert "The run is not complete: here are the 0 rows written so far." in html
    assert "median</dt><dd>– <span>→</span> –" in html
    assert page.data["texts"] == []


def test_a_line_that_a_kill_tore_is_not_read(make_folder):
    folder = make_folder("curate", [ROW])
    with (folder / "rows.jsonl").open("a") as file:
        file.write('{"text_id": "t1"')
    assert len(Page(write_review(folder).read_text()).data["texts"]) == 1


def test_hostile_text_is_data_and_nothing_else(page_of, hostile):
    row = {
        "text_id": hostile,
        "status": hostile,
        "reason": hostile,
        "question": hostile,
        "original": hostile,
        "revised": hostile * 2 + "\u2028<!--<script>",
        "revised_question": hostile,
        "keywords": [hostile, "safe"],
        "criteria": {hostile: 0.5},
        "rounds": [{"round": 1, "rejected": {hostile: 1, "a": hostile, "b": float("inf")}}],
        "lineage": {"id": hostile, "keywords": [hostile]},
    }
    plain, _ = page_of([ROW], name="plain", warnings=["one"])
    said = hostile.replace("\ud800", "")  # which no manifest can hold
    page, html = page_of([row], name="hostile", warnings=[said], config={"objective": said, "judge": {"name": said}})
    assert set(page.tags) == set(plain.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not [value for name, value in page.attributes if name in ("src", "href")]
    (text,) = page.data["texts"]
    assert text["id"] == hostile
    assert "⟨U+202E⟩" in text["revised"]
    assert "⟨U+D800⟩" in text["revised"]
    assert "<img src=x onerror=alert(2)>" in text["revised"]
    data = html[html.index('id="data">') : html.rindex("<script>")]
    assert data.count("<") == 1  # of its own end tag
    assert not re.search("[\u2028\u2029\u202e\u200b\x00]", html)


def test_the_policy_names_the_style_and_the_script_by_hash_and_allows_no_request(page_of):
    page, html = page_of([ROW])

    def source(text):
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert page.policy.split("; ") == [
        "default-src 'none'",
        f"style-src {source(page.style)}",
        f"script-src {source(page.script)}",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    assert re.findall(r"https?://[^\"'` ]+", html) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", page.script)


def test_equal_rows_give_equal_bytes(make_folder, tmp_path):
    folder = make_folder("curate", [ROW])
    assert write_review(folder).read_bytes() == write_review(folder, tmp_path / "other.html").read_bytes()


@pytest.mark.parametrize(
    ("kind", "row", "message"),
    [
        ("lab", {}, r"a run of kind 'lab' \(.*\); expected a curation run"),
        ("curate", {"status": "ok"}, r"no text_id \(.*rows\.jsonl line 2\); expected a row of a curation run"),
        ("curate", {"text_id": 7}, "no text_id"),
    ],
)
def test_what_is_not_a_curation_is_one_line(make_folder, kind, row, message):
    folder = make_folder(kind, [{"text_id": "t0"}, row])
    with pytest.raises(DataError, match=message):
        write_review(folder)
    assert not (folder / "review.html").exists()


def test_an_output_that_cannot_be_written_is_one_line(make_folder, tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        write_review(make_folder("curate", [ROW]), tmp_path / "absent" / "review.html")


def test_the_command_prints_the_path(make_folder, tmp_path, capsys):
    folder = make_folder("curate", [ROW])
    assert main(["review", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder / 'review.html'}\n"
    assert main(["review", str(folder), "--out", str(tmp_path / "r.html")]) == 0
    assert (tmp_path / "r.html").read_bytes() == (folder / "review.html").read_bytes()
    assert main(["review", str(tmp_path / "absent")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
