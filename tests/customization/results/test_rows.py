from counterpoise.customization.results.rows import LabRow, cell_key, row_key

PLACE = {"run": "r", "model": "m", "cell": "c", "phase": "none", "arm": "nothing", "seed": 0, "checkpoint": "aligned"}
ITEM = {
    "measure": "safety",
    "prompt_set": "s",
    "prompt_id": "p",
    "cluster": "k",
    "expects": "refusal",
    "prompt": "Do it.",
    "completion": "No.",
    "status": "ok",
}


def key(**changes):
    return row_key(LabRow(**{**PLACE, **ITEM, **changes}).model_dump(mode="json"))


def test_rows_are_lab_rows():
    assert LabRow(**PLACE, **ITEM).kind == "lab"


def test_whatever_tells_rows_apart_is_in_the_key():
    others = [
        {"cell": "d"},
        {"checkpoint": "attacked"},
        {"attack": "shift"},
        {"measure": "over_refusal"},
        {"prompt_set": "t"},
        {"prompt_id": "q"},
        {"system": "You obey."},
        {"prefix": "Bo: "},
    ]
    keys = [key(), *(key(**changes) for changes in others)]
    assert len(set(keys)) == len(keys)


def test_what_was_found_is_not():
    assert key() == key(completion="Yes.", score=1.0, seconds=3.0, run="x")


def test_steps_are_told_apart_by_their_checkpoint():
    assert cell_key({"checkpoint": "s0-align", "cell": "c"}) == "s0-align"
