import csv
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.case import Role, Stage, problems
from counterpoise.counterfactual.check_gold import check_gold
from counterpoise.counterfactual.datasets import Loaded, rnn_typology
from counterpoise.counterfactual.datasets.rnn_typology import ORDERS, word_order_case
from counterpoise.errors import DataError

PLACES = ("first", "second", "third")
HEADER = "original_sent,main_verb,reordered_sent"
NAMES = {"s": "subject", "v": "verb", "o": "object"}


def reordered(words: tuple[str, str, str], order: str) -> list[str]:
    """The words in the order, without the model: sorted by where the order puts them."""
    return [word for _, word in sorted(zip(map(order.index, "svo"), words, strict=True))]


def write(folder: Path, order: str, *rows: str, header: str = HEADER, name: str = "synthetic_test.csv") -> Path:
    path = folder / "syntax" / order / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


@given(
    st.lists(
        st.sampled_from(["rosa", "greets", "omar", "Zoë", "o'neil", "re-elects"]), min_size=3, max_size=3, unique=True
    ),
    st.sampled_from(ORDERS),
)
def test_gold_equals_sorting_by_hand(words: list[str], order: str) -> None:
    subject, verb, object_ = words
    case = word_order_case(subject, verb, object_, order)
    assert not problems(case)
    expected = reordered((subject, verb, object_), order)
    assert case.target == " ".join(expected) + "."
    for place, before, after in zip(PLACES, words, expected, strict=True):
        assert case.variable(f"{place} constituent").factual == before
        assert case.variable(f"{place} constituent").counterfactual == after
    assert dict(case.intervention) == {"word order": "-".join(NAMES[letter] for letter in order)}
    kept = [place for place, before, after in zip(PLACES, words, expected, strict=True) if before == after]
    assert case.facets == {"order": order.upper(), "kept_place": kept[0] if kept else "none"}


def test_the_orders_are_all_but_the_english_one() -> None:
    assert set(ORDERS) | {"svo"} == {"".join(order) for order in permutations("svo")}
    assert "svo" not in ORDERS


def test_one_case() -> None:
    case = word_order_case("rosa", "greets", "omar", "osv")
    assert case.id == "rnn-typology-osv-rosa_greets_omar"
    assert case.target == "omar rosa greets."
    assert case.variable("sentence").factual == "rosa greets omar."
    # The words are all stated: no cause is unseen.
    assert case.stages == tuple(stage for stage in Stage if stage is not Stage.ABDUCTION)
    assert '"rosa greets omar."' in case.context
    assert "omar rosa" not in case.context + case.question
    assert "object-subject-verb" in case.question
    assert [len(case.of_role(role)) for role in Role] == [1, 3, 3, 1]
    parents = {"word order", "subject", "verb", "object"}
    places = {f"{place} constituent" for place in PLACES}
    assert set(case.edges) == {(a, b) for a in parents for b in places} | {(place, "sentence") for place in places}


def test_setting_the_english_order_returns_the_factual_world() -> None:
    case = word_order_case("rosa", "greets", "omar", "vso")
    assert case.scm is not None
    evidence = {name: case.variable(name).factual or "" for name in case.execution.observed}
    world = case.scm.counterfactual(evidence, {"word order": "subject-verb-object"})
    assert {name: set(values) for name, values in world.items()} == {v.name: {v.factual} for v in case.variables}


def test_names_and_aliases_do_not_clash() -> None:
    case = word_order_case("rosa", "greets", "omar", "vso")
    names = [name for variable in case.variables for name in (variable.name, *variable.aliases)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("words", "order", "message"),
    [
        (("rosa", "greets", "omar"), "svo", "order 'svo' is none of sov"),
        (("rosa", "greets", "Rosa"), "sov", "a word occurs twice"),
        (("rosa", "greets", "om ar"), "sov", "'om ar' is not a word"),
        (("rosa", "", "omar"), "sov", "'' is not a word"),
    ],
)
def test_what_is_no_sentence_is_refused(words: tuple[str, str, str], order: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        word_order_case(*words, order)


def test_rows_that_cannot_be_used_are_rejected_with_the_reason(tmp_path: Path) -> None:
    write(
        tmp_path,
        "sov",
        "rosa greets omar.,greets,rosa greets omar.",
        " rosa  greets omar. ,greets,rosa omar greets.",
        "rosa greets omar.,greets,rosa omar greets.",
        "rosa greets.,greets,rosa greets.",
        "rosa greets omar,greets,rosa omar greets",
        "rosa greets ivy.,meets,rosa ivy greets.",
        "ivy greets ivy.,greets,ivy ivy greets.",
        "rosa greets 77.,greets,rosa 77 greets.",
        "",
    )
    cases, rejects = rnn_typology.read(tmp_path)
    assert [case.id for case in cases] == ["rnn-typology-sov-rosa_greets_omar"]
    assert [(reject.id.removeprefix("rnn-typology-sov-"), reject.reason) for reject in rejects] == [
        (
            "rosa_greets_omar",
            "the file has 'rosa greets omar.', execution gives 'rosa omar greets.' (sov, line 2)",
        ),
        ("rosa_greets_omar", "the same item occurs twice (sov, line 4, first sov, line 3)"),
        ("rosa_greets", "'rosa greets.' is not three words and a full stop (sov, line 5)"),
        ("rosa_greets_omar", "the same item occurs twice (sov, line 6, first sov, line 3)"),
        ("rosa_greets_ivy", "the verb is given as 'meets', the second word is 'greets' (sov, line 7)"),
        ("ivy_greets_ivy", "a word occurs twice, so orders cannot be told apart (sov, line 8)"),
        ("rosa_greets_77", "'77' is not a word (sov, line 9)"),
    ]


def test_a_sentence_without_full_stop_is_rejected(tmp_path: Path) -> None:
    write(tmp_path, "sov", "rosa greets omar,greets,rosa omar greets", "ivy greets omar.,greets,ivy omar greets.")
    cases, rejects = rnn_typology.read(tmp_path)
    assert len(cases) == 1
    assert rejects[0].reason == "'rosa greets omar' is not three words and a full stop (sov, line 2)"


def test_the_same_sentence_in_two_orders_is_one_cluster(tmp_path: Path) -> None:
    write(tmp_path, "sov", "rosa greets omar.,greets,rosa omar greets.")
    write(tmp_path, "ovs", "rosa greets omar.,greets,omar greets rosa.", name="test.csv")
    cases, rejects = rnn_typology.read(tmp_path)
    assert not rejects
    assert [case.target for case in cases] == ["rosa omar greets.", "omar greets rosa."]
    assert len({case.cluster for case in cases}) == 1


def test_the_english_file_gives_no_case(tmp_path: Path) -> None:
    write(tmp_path, "svo", "rosa greets omar.,greets,rosa greets omar.")
    with pytest.raises(DataError, match="no word-order file"):
        rnn_typology.read(tmp_path)
    write(tmp_path, "vos", "rosa greets omar.,greets,greets omar rosa.")
    cases, rejects = rnn_typology.read(tmp_path)
    assert [case.facets["order"] for case in cases] == ["VOS"]
    assert not rejects


def test_the_sequence_does_not_depend_on_that_of_the_rows(tmp_path: Path) -> None:
    rows = [f"{name} greets omar.,greets,{name} omar greets." for name in ("ivy", "rosa", "lena", "nils", "paul")]
    write(tmp_path, "sov", *rows)
    cases, _ = rnn_typology.read(tmp_path)
    assert [case.id for case in cases] != sorted(case.id for case in cases)
    write(tmp_path, "sov", *reversed(rows))
    assert rnn_typology.read(tmp_path)[0] == cases


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("original_sent,verb,reordered_sent", "a b c.,b,a c b.", r"no column main_verb \(.*line 1"),
        (HEADER, "a b c.,b", r"more or fewer cells than columns \(.*line 2"),
        (HEADER, 'a b c.,b,"a c b.', r"not valid CSV: .*synthetic_test\.csv line"),
    ],
)
def test_a_malformed_file_is_named(tmp_path: Path, header: str, row: str, message: str) -> None:
    write(tmp_path, "sov", row, header=header)
    with pytest.raises(DataError, match=message):
        rnn_typology.read(tmp_path)


def test_wrong_encoding_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no word-order file"):
        rnn_typology.read(None)
    write(tmp_path, "sov").write_bytes(HEADER.encode() + b"\n\xff")
    with pytest.raises(DataError, match=r"not UTF-8 text \(.*synthetic_test\.csv line 2"):
        rnn_typology.read(tmp_path)


def test_downloads_are_the_files_that_are_read() -> None:
    downloads = rnn_typology.DATASET.downloads
    assert [download.path for download in downloads] == [f"syntax/{order}/synthetic_test.csv" for order in ORDERS]
    assert all(download.path in rnn_typology.DATASET.files for download in downloads)
    assert all(len(download.revision) == 40 and len(download.sha256 or "") == 64 for download in downloads)


def test_real_files(data: Path) -> None:
    cases, rejects = rnn_typology.read(data)
    expected: dict[str, str] = {}
    repeats = 0
    for order in ORDERS:
        with (data / "syntax" / order / "synthetic_test.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                identity = f"rnn-typology-{order}-" + row["original_sent"].rstrip(".").replace(" ", "_")
                repeats += identity in expected
                expected[identity] = row["reordered_sent"]
    assert {case.id: case.target for case in cases} == expected
    assert len(cases) == len(expected) == 459
    assert len(rejects) == repeats == 41
    assert all("occurs twice" in reject.reason for reject in rejects)
    for case in cases:
        assert not problems(case)
        subject, verb, object_ = case.variable("sentence").factual.rstrip(".").split()
        assert case.target == " ".join(reordered((subject, verb, object_), case.facets["order"].lower())) + "."
    assert [case.facets["order"].lower() for case in cases[:10]] == [*ORDERS, *ORDERS]
    assert Counter(case.facets["order"] for case in cases) == {"SOV": 92, "VSO": 93, "VOS": 88, "OVS": 94, "OSV": 92}


def test_the_oracle_is_right_at_every_stage(data: Path) -> None:
    cases, rejects = rnn_typology.read(data)
    [report] = check_gold({"rnn-typology": Loaded(tuple(cases[:50]), tuple(rejects))})
    assert report["oracle"] == dict.fromkeys(["variables", "graph", "intervention", "outcome", "answer"], 1.0)
    assert report["baselines"]["copy-factual"]["answer"] == 0.0


def test_real_files_are_the_ones_that_are_pinned(data: Path) -> None:
    import hashlib

    for download in rnn_typology.DATASET.downloads:
        assert hashlib.sha256((data / download.path).read_bytes()).hexdigest() == download.sha256
