import pytest

from counterpoise.report.curation import curation_line, median_change
from counterpoise.report.folders import read_runs


def line_of(folder):
    return curation_line(read_runs([folder])[0])


@pytest.fixture
def line(make_folder, curation_row):
    rows = [
        curation_row(),
        curation_row(text_id="t1", perplexity_before=10.0, perplexity_after=9.0, keywords=["safe"], helpfulness=0.75),
        curation_row(text_id="t2", perplexity_before=6.0, perplexity_after=20.0, keywords=[]),
        curation_row(
            text_id="t3", status="parse_failed", score=0.0, revised=None, perplexity_after=None, helpfulness=None
        ),
        curation_row(text_id="t4", status="unscored", score=None, revised=None, perplexity_before=None, rounds=[]),
    ]
    return line_of(make_folder("curate", rows, config={"target": {"name": "target/model", "revision": "1"}}))


def test_medians_and_their_difference_are_over_the_revised_texts(line):
    assert (line.before, line.after) == (6.0, 9.0)
    assert line.change.value == 3.0
    assert line.change.n == 3
    assert line.pairs == ((4.0, 6.0), (10.0, 9.0), (6.0, 20.0))


def test_a_text_without_a_revision_stays_in_the_denominator_and_one_that_could_not_be_tried_does_not(line):
    assert line.texts == 5
    assert (line.passed.value, line.passed.n) == (0.75, 4)
    assert (line.failures.parse_failed, line.failures.model_failed, line.failures.unscored) == (1, 0, 1)


def test_counts_are_summed_over_texts_and_rounds(line):
    assert (line.candidates, line.judged) == (32, 12)
    assert dict(line.rejected) == {"length": 8, "helpfulness": 4}


def test_keyword_coverage_ignores_case_and_counts_keywords(line):
    # t0 uses one of two, t1 uses its one, t2 had none to use.
    assert (line.keyword_coverage.value, line.keyword_coverage.n) == (pytest.approx(2 / 3), 3)
    assert line.keywords == 3


def test_helpfulness_is_the_mean_of_the_revisions(line):
    assert (line.helpfulness.value, line.helpfulness.n) == (pytest.approx((0.5 + 0.75 + 0.5) / 3), 3)
    assert (line.model, line.target, line.objective) == ("embedded/smollm2", "target/model", "max")


def test_a_run_in_which_nothing_passed_has_no_numbers_to_show(make_folder, curation_row):
    row = curation_row(status="model_failed", score=0.0, revised=None, perplexity_after=None, helpfulness=None)
    line = line_of(make_folder("curate", [row]))
    assert (line.before, line.after, line.change.value, line.helpfulness.value) == (None, None, None, None)
    assert line.passed.value == 0.0


def test_the_interval_of_the_change_holds_its_value_and_is_repeatable():
    pairs = [(float(i), float(i + i % 7)) for i in range(1, 60)]
    first, second = median_change(pairs), median_change(pairs)
    assert first == second
    assert first.low is not None
    assert first.high is not None
    assert first.value is not None
    assert first.low < first.value < first.high


def test_pairs_are_resampled_as_pairs():
    """A shift that all pairs share has no spread, however much the pairs differ among themselves."""
    shifted = median_change([(float(i * i), float(i * i + 1)) for i in range(20)])
    assert (shifted.low, shifted.value, shifted.high) == (1.0, 1.0, 1.0)
