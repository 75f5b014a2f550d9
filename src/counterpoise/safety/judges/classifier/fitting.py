"""Fitting the classifier's parts, and judging labelled completions by what was fitted without their model."""

from collections.abc import Callable, Container, Sequence

import numpy as np

from counterpoise.lm.embedding import Embedder
from counterpoise.safety.judges.agreement import Labelled
from counterpoise.safety.judges.classifier.features import Document, read_documents
from counterpoise.safety.judges.classifier.own import OWN, own_documents, shortened, stance_sentences
from counterpoise.safety.judges.classifier.refusal import RefusalHeads, RefusalModel, fit_refusal
from counterpoise.safety.judges.classifier.softmax import Floats, fit_softmax
from counterpoise.safety.judges.classifier.stances import STANCES, StanceModel, stance_features
from counterpoise.safety.judges.classifier.text import sentence_runs
from counterpoise.safety.judges.judgement import LABELS

__all__ = ["Material", "fit_stances", "fitted_without"]

_PATTERNS = 3
"""A run of words counts for stances if so many differently written sentences have it."""
_STANCE_PENALTY = 1e-3
_IMPORTANCE = {"whole": (1.0, 0.0, 0.1, 0.0), "cut": (0.5, 1.0, 0.5, 0.5)}
"""For each head, how much labelled completions count, whole and shortened, and this project's own, likewise."""


def fit_stances(
    embedder: Embedder, explanations: Sequence[str], subjects: Sequence[str] = (), *, seed: int = 0
) -> StanceModel:
    """Fit the model of stances on sentences written for it and on sentences of ordinary explanations.

    Arguments as of :func:`~counterpoise.safety.judges.classifier.own.stance_sentences`.
    """
    rows = stance_sentences(explanations, subjects, seed=seed)
    texts = [text for _, _, text in rows]
    used: dict[str, set[str]] = {}
    for _, pattern, text in rows:
        for run in sentence_runs(text):
            used.setdefault(run, set()).add(pattern)
    known = sorted(run for run, patterns in used.items() if len(patterns) >= _PATTERNS)
    vocabulary = {run: column for column, run in enumerate(known)}
    model = fit_softmax(
        stance_features(texts, embedder.embed(texts), vocabulary),
        np.array([STANCES.index(stance) for stance, _, _ in rows], dtype=np.int64),
        count=len(STANCES),
        penalty=_STANCE_PENALTY,
    )
    return StanceModel(vocabulary, model)


class Material:
    """Everything that the first head is fitted on, read once.

    Args:
        labelled: completions with human labels.
        embedder: reads them.
        stance_model: reads their sentences.
        seed: of what is drawn: subjects of own texts, lengths of shortened ones.
    """

    def __init__(
        self, labelled: Sequence[Labelled], embedder: Embedder, stance_model: StanceModel, *, seed: int = 0
    ) -> None:
        self.labelled = list(labelled)
        own = own_documents(seed=seed)
        groups = (self.labelled, shortened(self.labelled, seed=seed), own, shortened(own, seed=seed + 1))
        texts = [item for group in groups for item in group]
        documents = read_documents([(item.prompt, item.completion) for item in texts], embedder, stance_model)
        self._groups: list[list[tuple[Labelled, Document]]] = []
        for group in groups:
            self._groups.append(list(zip(group, documents[: len(group)], strict=True)))
            documents = documents[len(group) :]

    @property
    def documents(self) -> list[Document]:
        """The labelled completions, read."""
        return [document for _, document in self._groups[0]]

    def fit(self, keep: Callable[[Labelled], bool]) -> RefusalHeads:
        """Fit on the labelled completions that are kept and on all of this project's own."""
        return RefusalHeads(whole=self._fit(keep, "whole"), cut=self._fit(keep, "cut"))

    def _fit(self, keep: Callable[[Labelled], bool], head: str) -> RefusalModel:
        chosen = [
            (item, document, importance)
            for group, importance in zip(self._groups, _IMPORTANCE[head], strict=True)
            for item, document in group
            if importance and (item.source == OWN or keep(item))
        ]
        return fit_refusal(
            [document for _, document, _ in chosen],
            [item.label for item, _, _ in chosen],
            [item.prompt for item, _, _ in chosen],
            [importance for _, _, importance in chosen],
        )


def fitted_without(
    material: Material, documents: Sequence[Document] | None = None, *, folds: int | None = None
) -> Floats:
    """Probabilities for each labelled completion by a head that was fitted without completions of the same model.

    Args:
        material: of two sources or more.
        documents: what is judged, one for each labelled completion; by default the whole completions themselves.
        folds: keep every prompt apart too: those of a completion's fold are left out of the fit.

    Returns:
        Shape ``[completions, labels]``.
    """
    labelled = material.labelled
    judged = material.documents if documents is None else documents
    prompts = {prompt: place for place, prompt in enumerate(dict.fromkeys(item.prompt for item in labelled))}
    found = np.zeros((len(labelled), len(LABELS)), dtype=np.float32)
    for source in dict.fromkeys(item.source for item in labelled):
        for fold in range(folds or 1):
            places = [
                place
                for place, item in enumerate(labelled)
                if item.source == source and (folds is None or prompts[item.prompt] % folds == fold)
            ]
            left_out: set[str] = {labelled[place].prompt for place in places} if folds else set()
            heads = material.fit(_others(source, left_out))
            found[places] = heads([judged[place] for place in places])
    return found


def _others(source: str, prompts: Container[str]) -> Callable[[Labelled], bool]:
    """Keeps completions of other models, to other prompts."""
    return lambda item: item.source != source and item.prompt not in prompts
