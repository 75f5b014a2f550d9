import json

import pytest

from counterpoise.curation.decisions import FORMAT, read_decisions
from counterpoise.errors import DataError

RUN = "curate-0123456789ab"


@pytest.fixture
def write(tmp_path):
    """Write a decisions file whose fields may be replaced; ``raw`` replaces all of it."""

    def make(raw=None, **changes):
        value = {"format": FORMAT, "run": RUN, "decisions": {"b": "reject", "a": "accept"}} | changes
        path = tmp_path / "decisions.json"
        path.write_bytes(json.dumps(value).encode() if raw is None else raw)
        return path

    return make


def test_decisions_come_by_text_id_in_the_files_order(write):
    assert list(read_decisions(write(), run=RUN).items()) == [("b", "reject"), ("a", "accept")]


def test_nothing_decided_is_a_decisions_file(write):
    assert read_decisions(write(decisions={}), run=RUN) == {}


def test_any_text_can_be_an_id(write):
    ids = {"__proto__": "accept", "</script>": "reject", "": "accept", "\u202eé\n": "reject"}
    assert read_decisions(write(decisions=ids), run=RUN) == ids


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "counterpoise-decisions/2"}, "'format': Input should be 'counterpoise-decisions/1'"),
        ({"run": "curate-ffffffffffff"}, "about the run 'curate-ffffffffffff' .*expected the run curate-0123456789ab"),
        ({"run": 7}, "'run': Input should be a valid string"),
        ({"decisions": {"a": "keep"}}, "'a' of 'decisions': Input should be 'accept' or 'reject'"),
        ({"decisions": {"\x1b[31m\n": None}}, r"'\\x1b\[31m\\n' of 'decisions'"),
        ({"decisions": ["a"]}, "'decisions': Input should be a valid dict"),
        ({"by": "someone"}, "'by': Extra inputs are not permitted"),
        ({"raw": b"[]"}, "the file: Input should be a valid dict"),
        ({"raw": b"{}"}, "'format': Field required"),
        ({"raw": b""}, "not valid JSON"),
        ({"raw": b"[" * 100_000}, "not valid JSON"),
        ({"raw": b"\xff{}"}, "not UTF-8"),
        ({"raw": b'{"decisions": {"a": "accept", "a": "reject"}}'}, "'a' occurs more than once"),
    ],
)
def test_anything_else_is_one_line(write, changes, message):
    path = write(**changes)
    with pytest.raises(DataError, match=message) as raised:
        read_decisions(path, run=RUN)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(DataError, match="cannot read file: No such file"):
        read_decisions(tmp_path / "absent.json", run=RUN)
