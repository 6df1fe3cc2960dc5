"""`results` and `teachers`: what is measured, and what it is measured on."""

from typing import Annotated

import typer

from course.commands import shared
from course.commands.shared import Jobs, app


@app.command()
def results(
    unit: Annotated[
        str, typer.Argument(help="Such as 01, efficiency or 01_efficiency; or grading.")
    ],
    seeds: Annotated[int, typer.Option(min=1, help="Repeat each experiment so often.")] = 5,
    jobs: Jobs = 1,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this experiment (repeat it for more); keep the others' records."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace records of more seeds by those of fewer.")
    ] = False,
) -> None:
    """Run a unit's experiments and write course/results/UNIT.json, which the lectures read.

    May take long. Interrupted, it goes on where it stopped.

    ```
    python -m course results efficiency --seeds 5 --jobs 2
    python -m course results quantization --only models --only "word vectors"
    ```
    """
    from course.threads import one_thread

    one_thread()
    from course.measuring.results import run_results

    path = run_results(unit, seeds, jobs, shared.console, only or (), force)
    shared.console.print(f"Wrote {path}.", soft_wrap=True)
    shared.console.print("To show the new numbers: python -m course build --refresh")


@app.command()
def teachers(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEACHER", help="Such as transformer; else all, unless you ship."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Train each so often, from other seeds.")] = 1,
    ship: Annotated[
        list[str] | None,
        typer.Option(help="Write what this teacher says, for students to learn (repeat it)."),
    ] = None,
) -> None:
    """Train the teachers of unit 02 from nothing, on a GPU when there is one.

    Without a GPU the transformer takes long. Interrupted, a network's training goes on from its last
    epoch. What is trained already is not trained again. A cross-fitted teacher trains what it is made of.

    ```
    python -m course teachers transformer --seeds 5
    python -m course teachers --ship cross-fitted
    ```
    """
    from course.threads import one_thread

    one_thread()
    from course.measuring.teachers.ensemble import ship_logits
    from course.measuring.teachers.trained import TEACHERS, is_trained, train_teacher

    for name in names or (() if ship else TEACHERS):
        for seed in range(seeds):
            if not is_trained(name, seed):
                with shared.console.status(f"Training {name}, seed {seed}"):
                    train_teacher(name, seed)
            shared.console.print(f"{name}, seed {seed}: trained.")
    if ship:
        with shared.console.status(f"Shipping {' and '.join(ship)}"):
            sizes = ship_logits(ship)
        for name, size in sizes.items():
            shared.console.print(f"Wrote utils/assets/teachers/{name}.bin ({size:,} bytes).")
