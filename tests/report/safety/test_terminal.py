import io

from rich.console import Console

from counterpoise.report.tables import tables_of
from counterpoise.report.terminal import show


def shown(*folders, width=240):
    out = io.StringIO()
    show(tables_of(folders), Console(file=out, width=width))
    return out.getvalue()


def test_a_lab_run_shows_its_grid_with_gates_failures_and_judges(lab_folder):
    def failing(row):
        if row["prompt_id"] == "safe-set-7":
            row |= {"status": "model_failed", "reason": "timed out", "label": None, "completion": "", "score": 0.0}
        return row

    text = shown(lab_folder(edit=failing))
    for words in (
        "safety rate [95 %]",
        "curated after the attack",
        "curated in every phase",
        "100 % [81, 100] 16",
        "0 % [0, 32] 8 1/0",
        "gate over-refusal",
        "safety rate, over-refusal rate: keyword-1 (kappa 0.70, macro F1",
        "Gates that are broken or unclear, since alignment",
        "+88 points",
        "+5 points",
        "defence tokens",
        "defences clearly raised it",
    ):
        assert words in text, words


def test_a_verification_shows_every_rate_with_its_change_and_gate(verified):
    text = shown(verified())
    for words in (
        "Verification: models/defended, against models/plain",
        "+100 points [",
        "< 0.001",
        "no clear change",
        "broken",
        "Reasoning by stage",
        "* unreadable (in n) / unscored (outside n). safety rate",
    ):
        assert words in text, words


def test_a_verification_alone_has_no_columns_of_changes(make_folder, verify_rows):
    text = shown(make_folder("verify", verify_rows()))
    assert "against" not in text
    assert "gate" not in text.splitlines()[1]


def test_names_are_text_not_markup_and_send_no_control_sequence(lab_folder, verified, hostile):
    def rename(row):
        name = "[red]x[/red] \x1b]0;t\x07 " + hostile
        return row | {"judge": name, "prompt_set": name, "model": name}

    text = shown(lab_folder(edit=rename), verified(edit=rename, state="running", facts={}))
    assert "[red]x[/red]" in text
    assert "\x1b" not in text
    assert "\x07" not in text
    text.encode("utf-8")
