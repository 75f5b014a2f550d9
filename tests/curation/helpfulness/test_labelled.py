from collections import Counter

import pytest

from counterpoise.curation.gates import Gates, failed_gate
from counterpoise.curation.helpfulness import Helpfulness
from counterpoise.curation.helpfulness.labelled import GOOD, KINDS, Labelled, labelled_revisions, separation
from counterpoise.errors import UsageError
from counterpoise.lm.embedding import open_embedder


def test_every_text_has_one_revision_of_each_kind() -> None:
    labelled = labelled_revisions()
    assert Counter(one.kind for one in labelled) == dict.fromkeys(KINDS, 24)
    assert len({one.item[2] for one in labelled}) == len(labelled)
    assert [one for one in labelled if one.good] == [one for one in labelled if one.kind in GOOD]
    assert labelled == labelled_revisions()


def pair(good: float, bad: float) -> float | None:
    item = ("q", "o", "r")
    return separation([Labelled(0, "rewrite", item), Labelled(0, "lost", item)], [good, bad]).value


def test_separation_of_two() -> None:
    assert (pair(1, 0), pair(0, 1), pair(1, 1)) == (1, 0, 0.5)


def test_separation_is_the_share_of_pairs_in_order_over_all_texts() -> None:
    item = ("q", "o", "r")
    labelled = [
        Labelled(text, kind, item) for text in range(3) for kind in ("rewrite", "extension", "lost", "off_topic")
    ]
    values = [5, 3, 2, 3, 4, 1, 0, 4, 2, 2, 6, 1]
    good = [value for one, value in zip(labelled, values, strict=True) if one.good]
    bad = [value for one, value in zip(labelled, values, strict=True) if not one.good]
    expected = sum((high > low) + (high == low) / 2 for high in good for low in bad) / len(good) / len(bad)
    found = separation(labelled, values)
    assert found.value == pytest.approx(expected)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= expected <= found.high <= 1
    assert (found.n, found.clusters) == (12, 3)
    assert separation(labelled, values) == found


def test_separation_is_undefined_without_both_sides() -> None:
    assert separation([], []).value is None
    assert separation([Labelled(0, "rewrite", ("q", "o", "r"))], [1.0]).value is None


@pytest.fixture(scope="module")
def ratings():
    try:
        judge = Helpfulness(open_embedder("embedded/minilm"))
    except UsageError as error:
        pytest.skip(f"needs the embedder: {error}")
    return judge([one.item for one in labelled_revisions()])


@pytest.mark.parametrize(
    ("criterion", "kind"),
    [
        ("relevance", "off_topic"),
        ("relevance", "lost"),
        ("content", "off_topic"),
        ("content", "lost"),
        ("clarity", "truncated"),
        ("clarity", "repeated"),
        ("clarity", "garbled"),
        ("coverage", "lost"),
        ("coverage", "truncated"),
        ("coverage", "contradiction"),
        ("total", "lost"),
        ("total", "truncated"),
        ("total", "repeated"),
        ("total", "garbled"),
    ],
)
def test_a_criterion_falls_with_what_it_is_about(ratings, criterion: str, kind: str) -> None:
    some = [
        (one, rating) for one, rating in zip(labelled_revisions(), ratings, strict=True) if one.good or one.kind == kind
    ]
    found = separation([one for one, _ in some], [rating.as_dict()[criterion] for _, rating in some])
    assert found.low is not None
    assert found.low > 0.6


def test_the_total_tells_good_from_bad(ratings) -> None:
    labelled = labelled_revisions()
    found = separation(labelled, [rating.total for rating in ratings])
    assert found.low is not None
    assert found.low > 0.75
    assert all(rating.total >= 0.75 for one, rating in zip(labelled, ratings, strict=True) if one.good)


def test_gates_pass_the_good_and_refuse_the_broken() -> None:
    refused = Counter(
        one.kind
        for one in labelled_revisions()
        if failed_gate(one.item[2], one.item[1], (), Gates(), question=one.item[0])
    )
    assert refused["rewrite"] == refused["extension"] == 0
    assert refused["truncated"] == refused["repeated"] == 24
    assert refused["garbled"] > 18
