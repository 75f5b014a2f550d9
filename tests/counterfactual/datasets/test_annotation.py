import re
from pathlib import Path

import pytest

from counterpoise.counterfactual.case import Case, Role, Stage, problems
from counterpoise.counterfactual.datasets import agreement as agreements
from counterpoise.counterfactual.datasets import load
from counterpoise.counterfactual.datasets.agreement import agreement
from counterpoise.counterfactual.datasets.annotation import (
    ANNOTATED,
    Annotation,
    annotations,
    decisions,
    parse_annotations,
    passes,
)
from counterpoise.counterfactual.match import NORMALISED, normalise
from counterpoise.errors import DataError

LEAST = {"crass": 100, "clomo": 40, "malalgoqa": 50}
ALL = [(dataset, annotation) for dataset in ANNOTATED for annotation in annotations(dataset).values()]


def as_case(annotation: Annotation) -> Case:
    (outcome,) = [variable for variable in annotation.variables if variable.role is Role.OUTCOME]
    return Case(
        id=annotation.id,
        dataset="hand",
        modality="text",
        context="c",
        question="q",
        answer_kind="label",
        variables=annotation.variables,
        edges=annotation.edges,
        intervention=annotation.intervention,
        target=outcome.counterfactual or "",
        gold_kind="annotated",
        source="s",
        revision="r",
        cluster="k",
    )


@pytest.mark.parametrize(("dataset", "annotation"), ALL, ids=lambda one: getattr(one, "id", one))
def test_annotations_are_sound(dataset: str, annotation: Annotation) -> None:
    case = as_case(annotation)
    assert not problems(case)
    assert case.stages == tuple(stage for stage in Stage if stage is not Stage.ABDUCTION)
    assert {end for edge in case.edges for end in edge} == {variable.name for variable in case.variables}
    spellings = [normalise(name) for variable in case.variables for name in {variable.name, *variable.aliases}]
    assert len(set(spellings)) == len(spellings), "two names of the case are spelled alike"
    (exposure,) = case.of_role(Role.EXPOSURE)
    assert set(case.intervention) == {exposure.name}
    reached = {exposure.name}
    for _ in case.edges:
        reached |= {child for parent, child in case.edges if parent in reached}
    for variable in case.variables:
        assert 1 <= len(variable.aliases) <= 6
        assert variable.factual is not None
        assert variable.counterfactual is not None
        assert max(len(variable.factual), len(variable.counterfactual)) <= 80
        if normalise(variable.factual) != normalise(variable.counterfactual):
            # What changes is what the intervention reaches, and standing conditions stand.
            assert variable.name in reached
            assert variable.role is not Role.COVARIATE


@pytest.mark.parametrize("dataset", ANNOTATED)
def test_there_are_enough_and_their_graphs_differ(dataset: str) -> None:
    shapes = set()
    for annotation in annotations(dataset).values():
        role = {variable.name: variable.role for variable in annotation.variables}
        shapes.add(tuple(sorted((role[parent], role[child]) for parent, child in annotation.edges)))
    assert len(annotations(dataset)) >= LEAST[dataset]
    assert len(shapes) >= 4


@pytest.mark.parametrize("dataset", ANNOTATED)
def test_every_item_was_annotated_twice(dataset: str) -> None:
    first, second = passes(dataset)
    log = decisions(dataset)
    assert annotations(dataset).keys() == {one for one, decision in log.items() if decision != "left out"}
    assert set(log.values()) <= {"agree", "first", "second", "merged", "left out"}
    assert annotations(dataset).keys() <= first.keys() & second.keys()
    # Two passes that were copies of each other would not be two.
    same = sum(first[identity].variables == second[identity].variables for identity in annotations(dataset))
    assert same <= 0.05 * len(annotations(dataset))


@pytest.mark.parametrize("dataset", ANNOTATED)
def test_annotations_belong_to_items_and_copy_no_sentence_of_them(dataset: str, data: Path) -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[^\W_]+", text.casefold())
        return set(zip(*(words[offset:] for offset in range(8)), strict=False))

    loaded = load(dataset, data)
    by_id = {case.id: case for case in loaded.cases}
    # An annotated item that is held back or rejected elsewhere is no fault; most must be here.
    here = annotations(dataset).keys() & by_id.keys()
    assert len(here) >= 0.9 * len(annotations(dataset))
    taken = {
        run for case in by_id.values() for text in (case.context, case.question, case.target) for run in runs(text)
    }
    assert taken
    for identity in here:
        assert by_id[identity].gold_kind == "annotated"
        for variable in by_id[identity].variables:
            for text in (variable.name, variable.factual, variable.counterfactual, variable.gloss, *variable.aliases):
                assert not runs(text or "") & taken, text


def test_malformed_annotations_are_refused() -> None:
    line = next(iter(annotations("crass").values())).model_dump_json()
    assert len(parse_annotations(line, "crass")) == 1
    with pytest.raises(DataError, match="line 2"):
        parse_annotations(line + "\n" + line, "crass")
    with pytest.raises(DataError, match="line 1"):
        parse_annotations(line[:-5], "crass")
    with pytest.raises(DataError, match="line 1"):
        parse_annotations(line.replace('"edges"', '"arrows"'), "crass")


def test_a_pass_agrees_with_itself_and_less_with_a_changed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = passes("crass")
    some = dict(list(first.items())[:20])
    monkeypatch.setattr(agreements, "passes", lambda dataset: (some, some))
    whole = agreement("crass", NORMALISED)
    assert (whole.n, whole.alone, whole.role_kappa) == (20, 0, 1.0)
    for estimate in (whole.variables, whole.edges, whole.edges_named, whole.interventions, whole.outcomes):
        assert estimate.value == 1.0
    swapped = {Role.MEDIATOR: Role.COVARIATE, Role.COVARIATE: Role.MEDIATOR}
    other = {
        identity: one.model_copy(
            update={
                "variables": tuple(v.model_copy(update={"role": swapped.get(v.role, v.role)}) for v in one.variables),
                "edges": one.edges[:1],
            }
        )
        for identity, one in some.items()
        if identity != next(iter(some))
    }
    monkeypatch.setattr(agreements, "passes", lambda dataset: (some, other))
    part = agreement("crass", NORMALISED)
    assert (part.n, part.alone) == (19, 1)
    assert part.role_kappa is not None
    assert 0 < part.role_kappa < 0.9
    assert part.variables.value is not None
    assert part.variables.value < 0.9
    assert part.edges.value is not None
    assert part.edges.value < 0.9
    assert part.interventions.value == 1.0
