"""The command line: a thin layer that reads options, calls the package and prints what it returns.

Results go to standard output (``--json`` for machines), progress to standard error. Exit codes: 0 done, 1 the work
failed, 2 bad usage or configuration, 130 interrupted.
"""

import os
import sys
from collections.abc import Sequence

import click

from counterpoise import __version__
from counterpoise.cli import (
    curation,
    customization,
    datasets,
    diagnosis,
    doctor,
    export,
    judges,
    matchers,
    models,
    quickstart,
    report,
    review,
    seeds,
    verify,
)
from counterpoise.errors import CounterpoiseError

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="counterpoise")
def cli() -> None:
    """Find where a model's what-if reasoning breaks, and keep it safe while it is customized."""


for command in (
    curation.curate,
    customization.lab,
    datasets.check_gold,
    datasets.datasets,
    datasets.fetch,
    datasets.generate,
    diagnosis.diagnose,
    diagnosis.score,
    doctor.doctor,
    export.export,
    judges.judge,
    matchers.matchers,
    models.models,
    quickstart.quickstart,
    report.report,
    review.review,
    seeds.seeds,
    verify.verify,
):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors raised on purpose are one line on standard error."""
    # Set before anything imports torch: OpenMP's threads spin while they wait, which costs a machine with other work
    # far more time than sleeping costs an idle one (benchmarks/RESULTS.md).
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        cli.main(args=None if arguments is None else list(arguments), prog_name="counterpoise", standalone_mode=False)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "counterpoise"
        return _fail(f"{' '.join(error.format_message().split())} (see {where} --help)", 2)
    except CounterpoiseError as error:
        return _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; nothing finished is lost, the same command again resumes", 130)
    except BrokenPipeError:
        # The reader of standard output has left; keep the interpreter from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _fail(message: str, code: int) -> int:
    click.echo(f"error: {message}", err=True)
    return code
