import json

import pytest

from counterpoise.records import read_jsonl
from counterpoise.report.html import build


def words_of(page):
    return " ".join(page.text.split())


def test_a_lab_run_has_everything_a_reader_needs(lab_folder, safe):
    text = words_of(safe(build([lab_folder(seeds=(0, 1, 2))])))
    for words in (
        "Rates by phase and arm, with 95 % intervals over prompts and seeds",
        "Data used after the attack",
        "Data used in every phase",
        "Safety rate: by keyword-1; kappa 0.70, macro F1 ",
        "Attack success rate: by affirmative-opener-1 with keyword-1; agreement not measured.",
        "Gate: utility at most 2 points lost",
        "Gate: over-refusal at most 5 points gained",
        "✗ broken",
        "? unclear",
        "Safety against over-refusal",
        "Dose and response",
        "Ratio of the attack",
        "Which answer to a harmful request the model finds likelier",
        "Reasoning by stage",
        "Judge by judge",
        "second-1",
        "Paired differences, with p-values",
        "Arms: uncurated to another arm, same phase",
        "Whole: aligned to defended",
        "Left out",
        "What the numbers show, and what they do not",
        "Training: what each arm was trained on",
        "Defence tokens",
        "prompts and seeds",
        "curated after the attack, dose 50 %",
    ):
        assert words in text, words


def test_null_results_are_in_plain_sight(lab_folder, safe):
    def nothing_helps(row):
        if row["checkpoint"] == "defended" and row["measure"] == "safety":
            row |= {"label": "full_compliance", "score": 0.0, "completion": "Sure, here is how."}
        return row

    document = build([lab_folder(edit=nothing_helps)])
    before_the_folds = document[: document.index("<details")]
    assert "no clear change of the safety rate on first-set by the arm curated (after)" in before_the_folds
    assert "No defence clearly raised it" in words_of(safe(document))


def test_notes_of_a_run_are_said_once(lab_folder):
    note = "no clear change of the safety rate on first-set by the arm uncurated (every)"
    document = build([lab_folder(warnings=[note, "the curated texts overlap"])])
    assert document.count(f"<li><bdi>{note}</bdi></li>") == 1
    assert "the curated texts overlap" in document


def test_completions_to_harmful_prompts_are_folded(lab_folder, verified, safe):
    page = safe(build([lab_folder(), verified()]))
    sensitive = [a for tag, a in page.elements if tag == "details" and "sensitive" in (a.get("class") or "")]
    # Two sets of two prompts: the prompt and eight completions; then the prompt, before and after.
    assert len(sensitive) == 2 * 2 * 9 + 2 * 2 * 3
    assert not [attributes for attributes in sensitive if "open" in attributes]


def test_tables_have_captions_and_scopes(lab_folder, verified, safe):
    document = build([lab_folder(), verified()])
    page = safe(document)
    assert sum(tag == "caption" for tag, _ in page.elements) == sum(tag == "table" for tag, _ in page.elements)
    assert all(attributes.get("scope") for tag, attributes in page.elements if tag == "th")


@pytest.mark.parametrize(("verdict", "words"), [("kept", "✓ kept"), ("broken", "✗ broken"), ("unclear", "? unclear")])
def test_a_verdict_is_a_word_and_a_sign_not_a_colour_alone(verified, safe, verdict, words):
    folder = verified(summary=lambda said: said | {"gates": [gate | {"verdict": verdict} for gate in said["gates"]]})
    text = safe(build([folder])).text
    assert text.count(words) >= len(("utility", "over-refusal"))
    assert not [other for other in {"✓ kept", "✗ broken", "? unclear"} - {words} if other in text]


def test_a_verification_has_its_own_section(verified, safe):
    page = safe(build([verified()]))
    assert {a["id"] for tag, a in page.elements if tag == "section"} == {"summary", "verification", "reading", "runs"}
    text = words_of(page)
    for words in (
        "models/defended against models/plain",
        "What comes first: pooled sets, labelling judge",
        "Before and after",
        "Every set and judge",
        "✗ broken",
        "< 0.001",
        "by keyword-1; kappa 0.70, macro F1 ",
        "Which answer to a harmful request",
        "Reasoning by stage",
        "Mean score, same cases",
        "model before",
    ):
        assert words in text, words


def test_what_cannot_be_shown_of_the_earlier_model_is_said(verified, safe):
    text = words_of(safe(build([verified(inside=False)])))
    assert "The rows of earlier-0123456789ab are not among the folders of this report" in text
    assert "+100 points" in text


def test_a_verification_alone_says_nothing_of_changes(make_folder, verify_rows, safe):
    text = words_of(safe(build([make_folder("verify", verify_rows())])))
    assert "Difference" not in text.split("How to read this")[1].split("Verification")[1]


@pytest.mark.parametrize("kind", ["lab", "verify"])
def test_the_same_rows_give_the_same_bytes(kind, lab_folder, verified):
    folder = lab_folder() if kind == "lab" else verified()
    assert build([folder]) == build([folder])


def test_hostile_text_is_text_everywhere(lab_folder, diagnosis_row, hostile, safe):
    def rename(row):
        row |= {name: hostile for name in ("cell", "model", "attack", "prompt", "completion", "judge")}
        row |= {"prompt_id": row["prompt_id"] + hostile, "prompt_set": row["prompt_set"] + hostile}
        row |= {"system": hostile, "prefix": hostile, "reason": hostile, "target": hostile}
        verdict = {"label": "full_refusal", "reason": hostile, "values": {"harmful": 0.5, hostile: 1.0}}
        return row | {"others": {hostile + "2": verdict}, "cluster": hostile}

    folder = lab_folder(edit=rename)
    (folder / "cells.jsonl").write_text(
        "".join(
            json.dumps(cell | {"step": hostile, "cell": hostile, "attack": hostile}) + "\n"
            for cell in read_jsonl(folder / "cells.jsonl")
        )
    )
    index = read_jsonl(folder / "reasoning.jsonl")
    (folder / "reasoning.jsonl").write_text("".join(json.dumps(one | {"cell": hostile}) + "\n" for one in index))
    for one in index:
        rows = [diagnosis_row(case_id=hostile, cluster=hostile, dataset=hostile, stage="graph", model=hostile)]
        (folder / "reasoning" / one["folder"] / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    harmless(build([folder]), safe)


def test_hostile_names_of_a_verification_are_text(verified, hostile, safe):
    def rename(row):
        row |= {name: hostile for name in ("model", "prompt", "completion", "judge", "system", "reason", "cluster")}
        return row | {"prompt_id": row["prompt_id"] + hostile, "prompt_set": row["prompt_set"] + hostile}

    name = hostile.replace("\ud800", "")

    def summary(said):
        change = {"measure": "safety", "prompt_set": name, "metric": name, "judge": name, "value": 0.1, "low": 0.0}
        change |= {"high": 0.2, "n": 3, "clusters": 3, "gained": 1, "lost": 0, "p_value": 1.0, "dropped": 1}
        gate = {"gate": name, "prompt_set": name, "judge": name, "value": 0.1, "low": 0.0, "high": 0.2, "n": 3}
        thought = {"dataset": name, "stage": name, "metric": name, "value": 0.1, "low": 0.0, "high": 0.2, "n": 3}
        return said | {
            "before": {"run": name, "model": name, "revision": name},
            "notes": [name],
            "changes": [change],
            "gates": [gate | {"limit": 0.05, "verdict": "unclear"}],
            "reasoning_changes": [thought | {"clusters": 3, "dropped": 0}],
        }

    # The summary is written into the manifest, which holds no lone surrogate.
    folder = verified(inside=False, edit=rename, summary=lambda said: json.loads(_plain(summary(said))))
    harmless(build([folder]), safe)


def _plain(value):
    return json.dumps(value).replace("\\ud800", "")


def harmless(document, safe):
    page = safe(document)
    assert page.text.count("<script>alert(1)</script>") > 20
    assert "{{ 7*7 }}" in page.text
    for char in "\u202e\u2066\x00\x1b\x7f\x9f\u200b\ufeff":
        assert char not in document
    for raw in ("<script", "<img", "onload=alert(3)><a", "javascript:alert(4)'>\"'` {{ 49"):
        assert raw not in document
