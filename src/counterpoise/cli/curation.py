"""Commands of the curation."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from counterpoise.cli.options import json_option, split
from counterpoise.cli.printing import finish, print_json
from counterpoise.errors import ConfigError, DataError, UsageError
from counterpoise.progress import Progress

__all__ = ["curate"]


def input_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say how the texts are to be read."""
    for option in reversed(
        [
            click.option("--format", "format_", help="Format of the file; by default its suffix says."),
            click.option("--shape", help="Shape of the records; detected by default."),
            click.option("--field", "fields", multiple=True, help="PART=NAME: question=query, answer=choices.0."),
            click.option("--split", "part", help="Split of a hub dataset, or list of a JSON object."),
            click.option("--max-words", default=1000, show_default=True, type=click.IntRange(min=1)),
            click.option("--limit", type=click.IntRange(min=1), help="Texts; all by default."),
        ]
    ):
        command = option(command)
    return command


@click.command()
@click.argument("source", metavar="INPUT")
@click.option("--model", required=True, help="The model that revises, and the target unless --target names another.")
@click.option("--target", help="The model to be customized, under which perplexity is measured.")
@click.option("--judge", default="offline", show_default=True, help="Of helpfulness: offline, or a model.")
@click.option("--seeds", default="builtin", show_default=True, help="A seed set: builtin, or a file.")
@click.option("--objective", type=click.Choice(["max", "min", "random"]), help="Perplexity wanted; max by default.")
@click.option("--rounds", type=int, help="Rounds of revision; 2 by default.")
@click.option("--beam", type=int, help="Revisions kept per text and round; 2 by default.")
@click.option("--keywords", type=int, help="Safety keywords per revision; 1 by default.")
@click.option("--revise", type=click.Choice(["answers", "both"]), help="Revise answers, or questions too.")
@click.option("--style", type=click.Choice(["auto", "rewrite", "extend"]), help="How the reviser is asked.")
@click.option("--temperatures", help="Separated by commas; 0.2 to 1.0 by default.")
@click.option("--top-ps", help="Separated by commas; 0.2 to 1.0 by default.")
@click.option("--max-tokens", type=int, help="Of a completion; 128 by default.")
@click.option("--min-helpfulness", type=float, help="Of a revision that is kept; 0.75 by default.")
@click.option("--seed", type=int, help="Seed of every random choice; 0 by default.")
@click.option("--config", "settings", type=click.Path(path_type=Path), help="YAML with any setting; options go first.")
@input_options
@click.option("--cache", type=click.Path(path_type=Path), help="Folder of calls that several runs share.")
@click.option("--dry-run", is_flag=True, help="Print what it would take, and stop.")
@click.option("--price", help="READ,WRITTEN: of a million tokens, for --dry-run.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder; the same command again resumes it.")
@json_option
def curate(
    source: str,
    model: str,
    target: str | None,
    judge: str,
    seeds: str,
    settings: Path | None,
    format_: str | None,
    shape: Any,
    fields: tuple[str, ...],
    part: str | None,
    max_words: int,
    limit: int | None,
    cache: Path | None,
    dry_run: bool,
    price: str | None,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Revise texts so that they carry safety implications for a model.

    INPUT is a file of texts (JSON lines, JSON, CSV, Parquet, plain text) or hf:OWNER/NAME of a dataset on the hub.
    """
    from counterpoise.curation.curate import CACHE
    from counterpoise.curation.curate import curate as run_curation
    from counterpoise.curation.helpfulness import Helpfulness, Judge, ModelJudge
    from counterpoise.curation.inputs import fields_from, open_texts
    from counterpoise.curation.seeds.seed import open_seeds
    from counterpoise.lm.cached import CachedLM
    from counterpoise.lm.embedding import open_embedder
    from counterpoise.lm.names import open_model
    from counterpoise.report.review import write_review

    if out is None and not dry_run:
        raise UsageError("no run folder", fix="pass it with --out")
    config = _config(settings, options)
    chosen = open_seeds(seeds)
    prices = _prices(price)
    texts = open_texts(
        source,
        format=format_,
        shape=shape,
        fields=fields_from(fields),
        split=part,
        max_words=max_words,
        limit=limit,
    )
    for line in texts.report.lines():
        click.echo(line, err=True)
    lm = open_model(model)
    aim = lm if target in (None, model) else open_model(str(target))
    rater: Judge
    if judge == "offline":
        rater = Helpfulness(open_embedder("embedded/minilm"))
    else:
        asked = lm if judge == model else open_model(judge)
        rater = ModelJudge(asked if out is None else CachedLM(asked, cache or out / CACHE))
    if dry_run:
        _estimate(texts, lm, aim, rater, config, chosen, prices, model, as_json)
        return
    assert out is not None
    with Progress() as progress:
        run_curation(texts, lm, aim, rater, config, out, seeds=chosen, cache=cache, progress=progress)
    review = write_review(out)
    finish(out, as_json)
    if not as_json:
        click.echo(f"review: {review}")


def _config(path: Path | None, options: dict[str, Any]) -> Any:
    import yaml

    from counterpoise.curation.config import CurateConfig

    values: Any = {}
    if path is not None:
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"cannot read file: {error}", where=str(path)) from error
        except yaml.YAMLError as error:
            raise ConfigError("not valid YAML", where=str(path)) from error
        if not isinstance(values, dict):
            raise ConfigError(f"a {type(values).__name__}", where=str(path), expected="settings by name")
    given = {name: value for name, value in options.items() if value is not None}
    for name in ("temperatures", "top_ps"):
        if name in given:
            given[name] = _numbers(given[name], f"--{name.replace('_', '-')}")
    return CurateConfig.checked({**values, **given}, str(path) if path else "the options")


def _numbers(text: str, where: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in split(text))
    except ValueError as error:
        raise UsageError(f"{where} is {text!r}", expected="numbers separated by commas") from error


def _prices(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        read, written = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--price is {text!r}", expected="two numbers: READ,WRITTEN") from error
    return read, written


def _estimate(
    texts: Any, lm: Any, target: Any, judge: Any, config: Any, seeds: Any, prices: Any, model: str, as_json: bool
) -> None:
    from counterpoise.curation.estimate import estimate
    from counterpoise.lm.names import runs_here

    found = estimate(texts, lm, target, judge, config, seeds=seeds, probe=runs_here(model), prices=prices)
    if as_json:
        print_json(asdict(found))
        return
    click.echo(f"texts: {found.usable:,} of {found.texts:,} usable")
    click.echo(f"candidates: {found.least_candidates:,} to {found.candidates:,}")
    click.echo(
        f"tokens of the reviser, for the most: about {found.input_tokens:,} read, {found.output_tokens:,} written"
    )
    if found.judge_tokens:
        click.echo(f"tokens of the judge: about {found.judge_tokens:,}")
    click.echo("time: depends on the provider" if found.seconds is None else f"time: about {found.seconds:,.0f} s")
    if found.cost is not None:
        click.echo(f"cost: about {found.cost:,.2f}")
    click.echo(f"from: {found.basis}")
