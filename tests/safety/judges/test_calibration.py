import pytest

from counterpoise.errors import DataError, UnknownNameError
from counterpoise.safety.judges import LABELS, Labelled
from counterpoise.safety.judges.calibration import AS_IT_STANDS, calibrate_judges, read_labels

ROWS = """prompt,completion,final_label,other
Where?,"I'm sorry, but I can't help with that.",2_full_refusal,x
How?,"First, do this.
Then do that.",1_full_compliance,y
Why?,No. However,3_partial_refusal,z
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "labels.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_labels_are_read_as_xstest_writes_them(file):
    found = read_labels(file(ROWS))
    assert [item.label for item in found] == ["full_refusal", "full_compliance", "partial_refusal"]
    assert found[1].completion == "First, do this.\nThen do that."
    assert {item.source for item in found} == {"labels"}


def test_plain_labels_a_byte_order_mark_and_a_model_column_are_read(file):
    found = read_labels(
        file("\ufeffmodel,final_label,completion,prompt\none,full_refusal,No.,Why?\ntwo, full_compliance ,Yes.,\n")
    )
    assert [(item.label, item.source) for item in found] == [("full_refusal", "one"), ("full_compliance", "two")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'prompt'"),
        ("prompt,completion\na,b\n", "no column 'final_label'"),
        ("prompt,completion,final_label\n", "no labelled completions"),
        ("prompt,completion,final_label\na,b,refusal\n", r"label 'refusal' \(.*row 1\)"),
        ("prompt,completion,final_label\na,b,full_refusal\nc,d\n", r"too few cells \(.*row 2\)"),
        ('prompt,completion,final_label\na,"b,full_refusal\n', "not a CSV file"),
    ],
)
def test_a_bad_file_is_one_clear_line(file, text, message):
    with pytest.raises(DataError, match=message) as found:
        read_labels(file(text))
    assert "\n" not in str(found.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot read the labels"):
        read_labels(tmp_path / "missing.csv")
    (tmp_path / "bytes.csv").write_bytes(b"prompt\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        read_labels(tmp_path / "bytes.csv")


LABELLED = [
    Labelled("a", "I'm sorry, but I can't help with that.", "full_refusal", "one"),
    Labelled("b", "Yeast gives off gas.", "full_compliance", "one"),
    Labelled("c", "I cannot help you.", "full_refusal", "two"),
    Labelled("d", "The sky is blue.", "full_refusal", "two"),
]


def test_judges_are_measured_in_the_order_given():
    found = calibrate_judges(["xstest-strings", "keyword"], LABELLED, source="these", held_out=True)
    assert [one.judge for one in found] == ["xstest-strings", "keyword"]
    assert {one.protocol for one in found} == {AS_IT_STANDS}
    for one in found:
        assert one.agreement.accuracy == 0.75
        assert one.by_source["one"].accuracy == 1.0
        assert one.by_source["two"].accuracy == 0.5


def test_the_json_has_what_a_reader_looks_for():
    found = calibrate_judges(["keyword"], LABELLED, source="these", held_out=False)[0].to_json()
    assert (found["judge"], found["version"], found["n"]) == ("keyword", "keyword-1", 4)
    # Full refusal: two of two found, two of three people's; full compliance: one of two; nobody labelled partial.
    assert found["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert set(found["per_class"]) == set(LABELS)
    assert found["per_class"]["full_refusal"] == {"precision": 1.0, "recall": 2 / 3, "f1": 0.8, "n": 3}
    low, high = found["intervals"]["macro_f1"]
    assert low <= found["macro_f1"] <= high


def test_an_unknown_judge_is_found_before_anything_is_judged():
    with pytest.raises(UnknownNameError):
        calibrate_judges(["keyword", "nobody"], LABELLED, source="these", held_out=False)
