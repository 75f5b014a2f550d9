from collections import Counter
from functools import cache

import pytest

from counterpoise.counterfactual.case import Case, Stage, problems
from counterpoise.counterfactual.datasets import scm_math, scm_text
from counterpoise.counterfactual.generate import GENERATOR

SUITES = [pytest.param(scm_text.DATASET, id="scm-text"), pytest.param(scm_math.DATASET, id="scm-math")]


@cache
def read(dataset):
    cases, rejects = dataset.read(None)
    assert rejects == []
    return tuple(cases)


@pytest.mark.parametrize("dataset", SUITES)
def test_two_hundred_valid_cases_without_files(dataset):
    assert dataset.files == ()
    assert len(read(dataset)) == 200
    assert {case.id: problems(case) for case in read(dataset) if problems(case)} == {}
    assert len({case.id for case in read(dataset)}) == len({case.context for case in read(dataset)}) == 200


@pytest.mark.parametrize("dataset", SUITES)
def test_every_case_belongs_to_the_dataset_and_has_every_stage(dataset):
    for case in read(dataset):
        assert (case.dataset, case.modality, case.gold_kind) == (dataset.name, dataset.modality, dataset.gold_kind)
        assert (case.source, case.revision, case.cluster) == (dataset.source, GENERATOR, case.id)
        assert case.stages == tuple(Stage)


@pytest.mark.parametrize("dataset", SUITES)
def test_shapes_queries_and_difficulties_are_mixed(dataset):
    for facet, kinds in (("shape", 9), ("query", 4), ("difficulty", 5)):
        counts = Counter(case.facets[facet] for case in read(dataset))
        assert len(counts) == kinds
        assert min(counts.values()) >= 10, counts


@pytest.mark.parametrize("dataset", SUITES)
def test_cases_survive_json(dataset):
    for case in read(dataset)[:40]:
        again = Case.model_validate_json(case.model_dump_json())
        assert again == case
        assert again.hash == case.hash
        assert problems(again) == []
