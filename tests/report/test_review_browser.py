"""The review page as a reader meets it, in a real browser without a window."""

import json
import random
import re
import shutil

import pytest

from counterpoise.curation.decisions import FORMAT, read_decisions
from counterpoise.report.review import write_review

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright (extra 'browser')")

pytestmark = pytest.mark.browser

RUN = "curate-0123456789ab"


def row(number, **changes):
    """A row whose perplexity gain grows with its number and whose helpfulness falls."""
    columns = {
        "text_id": f"t{number}",
        "status": "ok",
        "question": f"Why is question {number} asked?",
        "original": "Because the old answer is short.",
        "revised": f"Because, as a precaution, the new answer number {number} is short.",
        "keywords": ["precaution"],
        "perplexity_before": 10.0,
        "perplexity_after": 10.0 + number,
        "helpfulness": 0.9 - number / 1000,
        "criteria": {"relevance": 0.9, "clarity": 0.8},
        "rounds": [
            {
                "round": 1,
                "perplexity": 9.0,
                "helpfulness": 0.8,
                "candidates": 25,
                "judged": 2,
                "similar": 4,
                "rejected": {"length": 3},
            },
            {
                "round": 2,
                "perplexity": 10.0 + number,
                "helpfulness": 0.9,
                "candidates": 25,
                "judged": 1,
                "rejected": {},
            },
        ],
        "lineage": {
            "id": f"t{number}/2",
            "ancestors": [
                {"id": f"t{number}/1", "round": 1, "keywords": ["trust"], "temperature": 0.2, "top_p": 0.4, "seed": 7},
                {"id": f"t{number}/2", "round": 2, "keywords": ["precaution"], "perplexity": 12.0, "helpfulness": 0.9},
            ],
        },
    }
    return columns | changes


NO_REVISION = {"revised": None, "perplexity_after": None, "helpfulness": None, "lineage": None, "criteria": None}


@pytest.fixture(scope="module")
def browser():
    path = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if path is None:
        pytest.skip("needs a Chromium on the path")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, make_folder):
    """Open the page of rows and return it; when the test ends, nothing may have gone wrong on it unseen."""
    wrong = []
    contexts = []

    def make(rows, *, width=1280, height=900, **manifest):
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(("file:", "blob:")) or wrong.append(request.url))
        page.goto(write_review(make_folder("curate", rows, **manifest)).as_uri())
        page.wait_for_selector("main:not([hidden])")
        return page

    yield make
    for context in contexts:
        context.close()
    assert wrong == []


def said(page):
    return page.inner_text("#said")


def ids(page):
    return page.locator(".card h2 bdi").all_inner_texts()


def active(page):
    return page.inner_text(".card.active h2 bdi")


def press(page, keys):
    for key in keys:
        page.keyboard.press(key)


def saved(page, tmp_path):
    with page.expect_download() as waiting:
        page.click("#save")
    assert waiting.value.suggested_filename == "decisions.json"
    waiting.value.save_as(tmp_path / "decisions.json")
    return tmp_path / "decisions.json"


def choose(page, tmp_path, content):
    path = tmp_path / "chosen.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with page.expect_file_chooser() as chooser:
        page.click("#load")
    chooser.value.set_files(path)
    sync_api.expect(page.locator("#said")).to_have_text(re.compile("^(Loaded|The file)"))


def test_a_card_shows_texts_diff_scores_and_lineage(visit):
    page = visit([row(1, revised_question="Why is question 1 really asked?", question_generated=True)])
    card = page.locator(".card")
    assert card.locator("ins").all_inner_texts() == ["really", ", as a precaution,", "new", "number 1"]
    assert card.locator("del").all_inner_texts() == ["old"]
    assert card.locator("mark").all_inner_texts() == ["precaution"]
    assert card.locator(".answer").all_text_contents() == [row(1)["original"], row(1)["revised"]]
    assert "question generated" in card.inner_text()
    perplexity, helpfulness = (measure.inner_text().split() for measure in card.locator(".measure").all())
    assert perplexity == ["Perplexity", "×1.1", "10", "→", "11"]
    assert helpfulness == ["Helpfulness", "0.90"]
    assert card.locator("meter").evaluate_all("all => all.map(one => one.value)") == [0.9, 0.8]
    assert [line.get_attribute("aria-label") for line in card.locator("svg").all()] == [
        "Perplexity, original: 10, round 1: 9, round 2: 11",
        "Helpfulness, round 1: 0.80, round 2: 0.90",
    ]
    card.locator("summary").click()
    cells = [table.locator("td").all_inner_texts() for table in card.locator("table").all()]
    assert cells == [
        ["1", "t1/1", "trust", "0.2", "0.4", "7", "–", "–", "2", "t1/2", "precaution", "–", "–", "–", "12", "0.90"],
        ["1", "25", "2", "length 3, too similar 4", "9", "0.80", "2", "25", "1", "", "11", "0.90"],
    ]


def test_a_text_without_a_revision_shows_its_reason_and_cannot_be_decided(visit):
    page = visit([row(1, status="parse_failed", reason="no candidate passed: 25 length", **NO_REVISION)])
    assert "No revision: no candidate passed: 25 length" in page.inner_text(".card")
    assert "none passed" in page.inner_text(".card")
    assert page.locator(".choice").count() == 0
    press(page, "a")
    assert said(page) == "t1 has no revision to decide about."
    assert page.inner_text("#tally") == "0 accepted, 0 rejected, 0 undecided"


def test_a_diff_loses_nothing_of_either_text(visit):
    rng = random.Random(5)
    vocabulary = [
        "the",
        "The",
        "ice",
        "melts,",
        "it's",
        "safe",
        "ök",
        "同じ文",
        "\U0001f512",
        ".",
        "\n",
        "  ",
        "ship's",
    ]

    def text():
        return " ".join(rng.choices(vocabulary, k=rng.randrange(30)))

    rows = [row(number, original=text(), revised=text(), keywords=["safe", "ice"]) for number in range(50)]
    page = visit(rows)
    passages = page.locator(".card .answer").all_text_contents()
    expected = [side or "empty" for one in rows for side in (one["original"], one["revised"])]
    assert passages == expected
    # What is unmarked is the same on both sides, but for the space between words.
    unmarked = page.locator(".card .answer").evaluate_all(
        """(all) => all.map((passage) => {
            passage.querySelectorAll("ins, del, em").forEach((change) => change.remove());
            return passage.textContent.replace(/\\s/g, "");
        })"""
    )
    assert unmarked[::2] == unmarked[1::2]
    assert sum(map(bool, unmarked)) > 50


def test_hostile_text_is_only_seen(visit, hostile, tmp_path):
    name = hostile.replace("\ud800", "")  # which the file of a run cannot have in an id
    rows = [
        row(
            number,
            text_id=f"{name}{number}",
            question=hostile,
            original=hostile + "</script>\u2028",
            revised=long + hostile,
            revised_question="javascript:alert(9)" + hostile,
            keywords=[hostile, "javascript", "__proto__"],
            criteria={hostile: 0.5},
            rounds=[{"round": 1, "perplexity": 1.0, "rejected": {hostile: 1}}, {"round": 2, "perplexity": 1e300}],
            lineage={"id": hostile, "keywords": [hostile], "round": 1, "seed": 2**70},
        )
        for number, long in enumerate(["", "x" * 50_000, "word " * 20_000, "a\u0301\u0302\u0303\u0304\u0305\u0306"])
    ]
    rows.append(row(9, text_id=name, status=hostile, reason=hostile, original=hostile, **NO_REVISION))
    page = visit(rows, warnings=[name], width=390, height=800)
    for summary in page.locator("summary").all():
        summary.click()
    for more in page.locator(".more").all():
        more.click()
    assert page.locator("script").count() == 2
    assert page.locator("img, iframe, object, embed, link, base, a").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    text = page.inner_text("main")
    assert "<img src=x onerror=alert(2)>" in text
    assert "⟨U+202E⟩" in text
    assert "⟨U+200B⟩" in text
    assert not set("\u202e\u2066\u200b\x00\x1b") & set(text)
    press(page, "kkar")
    decided = read_decisions(saved(page, tmp_path), run=RUN)
    assert decided == {rows[0]["text_id"]: "accept", rows[1]["text_id"]: "reject"}


def test_the_policy_lets_no_markup_be_made_and_no_script_be_added(browser, make_folder):
    page = browser.new_page()
    page.goto(write_review(make_folder("curate", [row(1)])).as_uri())
    attempts = """() => {
        const tried = (act) => { try { act(); return "done"; } catch (error) { return error.name; } };
        const script = document.createElement("script");
        const trial = [
            tried(() => { document.body.innerHTML = "<p>"; }),
            tried(() => { script.textContent = "window.ran = 1"; }),
        ];
        document.body.append(script);
        return [...trial, window.ran === undefined];
    }"""
    assert page.evaluate(attempts) == ["TypeError", "TypeError", True]
    page.close()


def test_keys_move_decide_and_undo(visit):
    page = visit([row(number) for number in range(1, 5)])
    assert active(page) == "t1"
    press(page, ["j", "ArrowDown", "k", "ArrowUp", "k"])
    assert active(page) == "t1"
    press(page, "aarj")
    assert active(page) == "t4"
    assert page.evaluate("document.activeElement === document.querySelector('.card.active')")
    assert page.inner_text("#tally") == "2 accepted, 1 rejected, 1 undecided"
    assert page.get_attribute("#progress", "aria-label") == "Progress: 2 accepted, 1 rejected, 1 undecided"
    assert said(page) == "t3: rejected"
    decided = page.locator(".card").evaluate_all("all => all.map(card => card.dataset.decision)")
    assert decided == ["accept", "accept", "reject", ""]
    press(page, "u")
    assert active(page) == "t3"
    assert page.inner_text("#tally") == "2 accepted, 0 rejected, 2 undecided"
    press(page, "uuu")
    assert page.inner_text("#tally") == "0 accepted, 0 rejected, 4 undecided"
    assert said(page) == "Nothing to undo."


def test_keys_that_are_typed_or_held_with_control_decide_nothing(visit):
    page = visit([row(1), row(2)])
    press(page, "/")
    page.keyboard.type("ajr")
    assert page.input_value("[name=words]") == "ajr"
    press(page, ["Escape"])
    assert page.input_value("[name=words]") == "ajr"
    assert page.inner_text("#found") == "0 of 2 texts"
    press(page, "arjku")
    page.click("text=Clear")
    page.wait_for_selector(".card")
    press(page, ["Control+a", "Alt+a", "?"])
    assert page.locator("dialog").is_visible()
    press(page, ["a", "Escape"])
    assert not page.locator("dialog").is_visible()
    assert page.inner_text("#tally") == "0 accepted, 0 rejected, 2 undecided"


def test_everything_by_mouse(visit):
    page = visit([row(1), row(2)])
    second = page.locator(".card").nth(1)
    second.get_by_role("button", name="Reject").click()
    assert active(page) == "t2"
    assert second.get_by_role("button", name="Reject").get_attribute("aria-pressed") == "true"
    second.get_by_role("button", name="Accept").click()
    assert page.inner_text("#tally") == "1 accepted, 0 rejected, 1 undecided"
    second.get_by_role("button", name="Accept").click()
    assert page.inner_text("#tally") == "0 accepted, 0 rejected, 2 undecided"
    page.click("#undo")
    assert page.inner_text("#tally") == "1 accepted, 0 rejected, 1 undecided"
    page.get_by_role("button", name="Help").click()
    page.get_by_role("button", name="Close").click()
    assert not page.locator("dialog").is_visible()


@pytest.fixture
def various(visit):
    return visit(
        [
            row(3),
            row(1, keywords=["trust"], original="Short.", revised="Only the trust of others, at length."),
            row(2, status="parse_failed", reason="nothing passed", **NO_REVISION),
            row(4, question="Where is the NEEDLE?", helpfulness=0.5),
        ]
    )


@pytest.mark.parametrize(
    ("field", "value", "left"),
    [
        ("words", "needle", ["t4"]),
        ("words", "WHERE short", ["t4"]),
        ("words", "t2", ["t2"]),
        ("words", "nothing like it", []),
        ("status", "parse_failed", ["t2"]),
        ("keyword", "trust", ["t1"]),
        ("decision", "none", ["t1", "t4"]),
        ("decision", "accept", ["t3"]),
        ("least_after", "12.5", ["t3", "t4"]),
        ("most_after", "11", ["t1"]),
        ("least_helpfulness", "0.6", ["t3", "t1"]),
        ("most_helpfulness", "0.6", ["t4"]),
    ],
)
def test_filters(various, field, value, left):
    press(various, "a")
    control = various.locator(f"[name={field}]")
    if control.evaluate("one => one.tagName") == "SELECT":
        control.select_option(value)
    else:
        control.fill(value)
    control.press("Enter" if field.startswith(("words", "least", "most")) else "Escape")
    assert ids(various) == left
    assert various.inner_text("#found") == f"{len(left)} of 4 texts"
    various.click("text=Clear")
    sync_api.expect(various.locator(".card")).to_have_count(4)


@pytest.mark.parametrize(
    ("order", "up", "down"),
    [
        ("place", ["t3", "t1", "t2", "t4"], ["t4", "t2", "t1", "t3"]),
        ("gain", ["t4", "t3", "t1", "t2"], ["t1", "t3", "t4", "t2"]),
        ("helpfulness", ["t1", "t3", "t4", "t2"], ["t4", "t3", "t1", "t2"]),
        ("length", ["t1", "t3", "t4", "t2"], ["t3", "t4", "t1", "t2"]),
    ],
)
def test_orders(various, order, up, down):
    various.select_option("[name=sort]", order)
    various.locator("[name=sort]").press("Escape")
    assert ids(various) == up
    various.check("[name=reverse]")
    various.locator("[name=reverse]").press("Escape")
    assert ids(various) == down


def test_for_lower_perplexity_the_gain_is_the_other_way(visit):
    page = visit([row(1), row(2)], config={"objective": "min"})
    page.select_option("[name=sort]", "gain")
    page.locator("[name=sort]").press("Escape")
    assert ids(page) == ["t1", "t2"]
    assert page.locator(".change.good").count() == 0


def test_decisions_are_saved_and_outlive_a_reload(visit, tmp_path):
    page = visit([row(1), row(2, text_id="__proto__"), row(3)])
    press(page, ["j", "r", "k", "k", "a"])
    page.reload()
    assert page.inner_text("#tally") == "1 accepted, 1 rejected, 1 undecided"
    assert page.get_by_role("button", name="Accept").first.get_attribute("aria-pressed") == "true"
    path = saved(page, tmp_path)
    assert read_decisions(path, run=RUN) == {"t1": "accept", "__proto__": "reject"}
    press(page, "jjr")
    assert "unsaved" in page.get_attribute("#save", "class")
    saved(page, tmp_path)
    assert "unsaved" not in page.get_attribute("#save", "class")
    assert list(read_decisions(path, run=RUN).items()) == [("t1", "accept"), ("__proto__", "reject"), ("t3", "reject")]


def test_another_run_has_decisions_of_its_own(visit, browser, make_folder):
    page = visit([row(1)])
    press(page, "a")
    page.goto(write_review(make_folder("curate", [row(1)], name="other")).as_uri())
    assert page.inner_text("#tally") == "0 accepted, 0 rejected, 1 undecided"


def test_two_tabs_agree(visit):
    page = visit([row(1), row(2)])
    other = page.context.new_page()
    other.goto(page.url)
    press(page, "a")
    sync_api.expect(other.locator("#tally")).to_have_text("1 accepted, 0 rejected, 1 undecided")


def test_a_browser_that_keeps_nothing_says_so(visit):
    page = visit([row(1), row(2)])
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    press(page, "a")
    assert "does not keep decisions" in said(page)
    assert page.inner_text("#tally") == "1 accepted, 0 rejected, 1 undecided"


def test_decisions_are_loaded_over_those_made_in_one_step(visit, tmp_path):
    page = visit([row(1), row(2), row(3, status="unscored", **NO_REVISION)])
    press(page, "a")
    file = {
        "format": FORMAT,
        "run": RUN,
        "decisions": {"t1": "reject", "t2": "accept", "t3": "accept", "x\u202e": "accept"},
    }
    choose(page, tmp_path, file)
    assert said(page) == "Loaded 2 decisions; ignored, of no revised text here: t3, x⟨U+202E⟩."
    assert page.inner_text("#tally") == "1 accepted, 1 rejected, 0 undecided"
    press(page, "u")
    assert page.inner_text("#tally") == "1 accepted, 0 rejected, 1 undecided"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff{", "it is not JSON"),
        ([], f"it is not of the format {FORMAT}"),
        (None, f"it is not of the format {FORMAT}"),
        ({"format": FORMAT, "run": "curate-\x1b[0m"}, f"it is about the run curate-⟨U+001B⟩[0m, this page about {RUN}"),
        ({"format": FORMAT, "run": RUN}, "it has no decisions"),
        (
            {"format": FORMAT, "run": RUN, "decisions": {"t1": "keep", "t2": "accept"}},
            "neither accepted nor rejected: t1",
        ),
    ],
)
def test_a_file_that_is_no_decisions_file_changes_nothing(visit, tmp_path, content, reason):
    page = visit([row(1), row(2)])
    choose(page, tmp_path, content)
    assert said(page) == f"The file was not loaded: {reason}."
    assert page.inner_text("#tally") == "0 accepted, 0 rejected, 2 undecided"


def test_pages_of_fifty_are_crossed_by_keys_and_buttons(visit):
    page = visit([row(number) for number in range(120)])
    assert page.locator(".card").count() == 50
    page.click("#after")
    assert (active(page), page.inner_text("#page")) == ("t50", "Page 2 of 3")
    press(page, "k")
    assert (active(page), page.inner_text("#page")) == ("t49", "Page 1 of 3")
    press(page, "a")
    assert active(page) == "t50"
    press(page, "u")
    assert (active(page), page.inner_text("#page")) == ("t49", "Page 1 of 3")
    card = page.locator(".card.active")
    assert (card.get_attribute("aria-posinset"), card.get_attribute("aria-setsize")) == ("50", "120")
    below = page.evaluate("document.querySelector('.card.active').getBoundingClientRect().top")
    assert below >= page.evaluate("document.querySelector('.bar').getBoundingClientRect().bottom")


def test_ten_thousand_texts_open_and_answer_quickly(visit):
    page = visit([row(number) for number in range(10_000)])
    assert page.inner_text("#found") == "All 10,000 texts"
    # Generous: one to two seconds and a tenth of one on two busy cores.
    assert page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") < 10_000
    page.fill("[name=words]", "number 9999")
    took = page.locator("[name=words]").evaluate(
        """(field) => {
            const begin = performance.now();
            field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
            return performance.now() - begin;
        }"""
    )
    assert ids(page) == ["t9999"]
    assert took < 5_000


@pytest.mark.parametrize("width", [320, 390, 768])
def test_no_width_scrolls_sideways(visit, width):
    long = "a_word_without_a_break_" * 20
    rows = [row(1, text_id=long, question=long, keywords=[long]), row(2), row(3, reason=long, **NO_REVISION)]
    page = visit(rows, width=width, warnings=[long], config={"objective": long})
    page.locator("summary").first.click()
    page.locator("summary").nth(1).click()
    press(page, ["a", "?"])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = """(all) => all
        .filter((one) => !one.closest("details:not([open])") && one.scrollWidth > one.clientWidth + 1)
        .map((one) => one.outerHTML)"""
    assert page.locator("p, h2, li, dd").evaluate_all(cut) == []
    box = page.locator("dialog").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(visit, scheme):
    page = visit([row(1), row(2, status="unscored", reason="why", **NO_REVISION), row(3)])
    page.emulate_media(color_scheme=scheme)
    press(page, "ajr")
    contrast = page.evaluate(
        """() => {
            const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
            const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
            const light = (color) => rgb(color).slice(0, 3).reduce((sum, value, index) =>
                sum + [0.2126, 0.7152, 0.0722][index] * channel(value / 255), 0);
            const ground = (node) => {
                for (let at = node; at; at = at.parentElement) {
                    const color = getComputedStyle(at).backgroundColor;
                    if ((rgb(color)[3] ?? 1) > 0) return color;
                }
            };
            const seen = [...document.querySelectorAll("body *")].filter((node) => node.checkVisibility()
                && !node.closest("svg, option")
                && [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()));
            return Math.min(...seen.map((node) => {
                const pair = [light(getComputedStyle(node).color), light(ground(node))];
                return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
            }));
        }"""
    )
    assert contrast >= 4.5
