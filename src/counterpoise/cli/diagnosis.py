"""Commands that measure counterfactual reasoning."""

from pathlib import Path

import click

from counterpoise.cli.options import data_option, json_option, out_option, require_folder, seed_option, split
from counterpoise.cli.printing import finish
from counterpoise.progress import Progress

__all__ = ["diagnose", "score"]


@click.command()
@click.option("--model", required=True, help="embedded/smollm2, a model folder, or a name as Inspect writes it.")
@click.option("--dataset", required=True, help="One or more names, separated by commas.")
@click.option("--limit", type=click.IntRange(min=1), help="Cases per dataset; all by default.")
@click.option("--stage", "stages", help="One or more stages, separated by commas; all by default.")
@click.option(
    "--mode", "modes", default="isolated", show_default=True, help="isolated, chained, substitution; or several."
)
@click.option(
    "--elicit", "elicits", default="direct", show_default=True, help="direct, few-shot, cot, cot-sc, tot; or several."
)
@click.option("--tools", default="off", show_default=True, help="off, hints, calls, auto; or several.")
@click.option(
    "--extractor", "extractors", multiple=True, help="MODALITY=NAME, another tool: text=ner:FOLDER, image=FOLDER."
)
@click.option("--k", default=5, show_default=True, help="Samples of cot-sc, branches of tot.")
@click.option("--rating", default="model", show_default=True, help="What chooses branches of tot: model or similarity.")
@click.option("--matcher", help="Which names and values count as the same; the calibrated default otherwise.")
@click.option("--text-only-baseline", "text_only", is_flag=True, help="Ask about images without showing them.")
@seed_option
@data_option
@out_option("Run folder; the same command again resumes it.")
@json_option
def diagnose(
    model: str,
    dataset: str,
    limit: int | None,
    stages: str | None,
    modes: str,
    elicits: str,
    tools: str,
    extractors: tuple[str, ...],
    k: int,
    rating: str,
    matcher: str | None,
    text_only: bool,
    seed: int,
    data: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Measure a model's counterfactual reasoning, stage by stage.

    Names of datasets, stages, modes, elicitations and uses of tools may be several, separated by commas.
    """
    from counterpoise.counterfactual.diagnose import DiagnoseConfig, run_diagnosis
    from counterpoise.counterfactual.match.registry import DEFAULT

    require_folder(data)
    config = DiagnoseConfig.checked(
        model=model,
        datasets=split(dataset),
        stages=split(stages) if stages else None,
        limit=limit,
        modes=split(modes),
        elicits=split(elicits),
        tools=split(tools),
        extractors=extractors,
        k=k,
        rating=rating,
        matcher=matcher or DEFAULT,
        text_only=text_only,
        seed=seed,
    )
    with Progress() as progress:
        run_diagnosis(config, out, data=data, progress=progress)
    finish(out, as_json)


@click.command()
@click.argument("source", metavar="COMPLETIONS.jsonl", type=click.Path(path_type=Path))
@click.option("--dataset", required=True, help="A name, or a file of cases.")
@click.option("--stage", required=True, help="The stage that the completions answer.")
@data_option
@out_option("Run folder; the same command again changes nothing.")
@json_option
def score(source: Path, dataset: str, stage: str, data: Path | None, out: Path, as_json: bool) -> None:
    """Score completions that were made elsewhere, like those of a run.

    One JSON object a line: case_id or question, completion, and model where there are several.
    """
    from counterpoise.counterfactual.completions import MAX_SHOWN, score_completions

    require_folder(data)
    with Progress() as progress:
        matched = score_completions(source, dataset, stage, out, data=data, progress=progress)
    for one in matched.unmatched[:MAX_SHOWN]:
        click.echo(f"unmatched: line {one.line}: {one.reason}", err=True)
    for model, case_id in matched.unanswered[:MAX_SHOWN]:
        click.echo(f"unanswered: {model}: case {case_id}", err=True)
    counts = {"unmatched": len(matched.unmatched), "unanswered": len(matched.unanswered)}
    if any(counts.values()):
        click.echo(f"lines unmatched: {counts['unmatched']}; cases unanswered: {counts['unanswered']}", err=True)
    finish(out, as_json, more=counts)
