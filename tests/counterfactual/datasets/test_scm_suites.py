from collections import Counter
from functools import cache

import pytest

from counterpoise.counterfactual.case import Case, Stage, problems
from counterpoise.counterfactual.datasets import scm_code, scm_image, scm_math, scm_text
from counterpoise.counterfactual.suite.generate import GENERATOR

SUITES = [pytest.param(suite.DATASET, id=suite.DATASET.name) for suite in (scm_text, scm_math, scm_code, scm_image)]


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
        # Where nothing is unseen, there is nothing to infer.
        assert set(Stage) - set(case.stages) == (set() if case.exogenous else {Stage.ABDUCTION})
    assert sum(bool(case.exogenous) for case in read(dataset)) >= 150


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


@pytest.mark.parametrize("dataset", SUITES)
def test_solved_cases_to_show_are_no_items_of_the_test(dataset):
    shots = dataset.shots(None)
    assert len(shots) == 8
    assert [problems(case) for case in shots] == [[]] * 8
    assert {case.dataset for case in shots} == {dataset.name}
    asked = read(dataset)
    assert {case.id for case in shots}.isdisjoint(case.id for case in asked)
    assert {case.context for case in shots}.isdisjoint(case.context for case in asked)
    models = {case.execution.scm.model_dump_json() for case in asked}
    assert models.isdisjoint(case.execution.scm.model_dump_json() for case in shots)
    # Every kind of question is among them, and every stage can be shown.
    assert len({case.facets["query"] for case in shots}) >= 3
    assert sum(case.stages == tuple(Stage) for case in shots) >= 4
