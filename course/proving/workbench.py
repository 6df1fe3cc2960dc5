"""A unit on the bench: its notebooks, and what comes out when its answers are run."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from nbformat import NotebookNode

from course.proving.harness import Answer, run_answers, run_variants
from course.proving.scores import Score, score_notebook
from course.writing import build
from course.writing.execute import Execution
from course.writing.keys import solved
from course.writing.mistakes import AnswerBank, Attempt, load_answers
from course.writing.notebooks import (
    answer_sources,
    auto_questions,
    grade_id,
    is_answer,
    read_notebook,
    read_source,
    with_answers,
)
from course.writing.units import Unit


class Workbench:
    """A unit and what the gates need to know of it, each made once, when first asked for.

    Unless `run`, the lecture in the repository stands for one that was run just now. Unless
    `variants`, it tries the first program of each mistake only."""

    def __init__(
        self,
        unit: Unit,
        jobs: int = 2,
        run: bool = True,
        variants: bool = True,
    ) -> None:
        self.unit = unit
        self.jobs = jobs
        self.run = run
        self.variants = variants

    @cached_property
    def lecture(self) -> NotebookNode:
        return build.lecture_from_source(self.unit)

    @cached_property
    def exercise(self) -> NotebookNode:
        """The assignment as its source has it: tags, no keys, no hidden twins."""
        return read_source(self.unit.exercise_source)

    @cached_property
    def solution(self) -> NotebookNode:
        return build.solution_from_source(self.unit)

    @cached_property
    def release(self) -> NotebookNode:
        return build.release_from_solution(self.unit, self.solution)

    @cached_property
    def blank(self) -> NotebookNode:
        """The release, with the hidden tests that it is scored by."""
        return with_answers(self.solution, answer_sources(self.release))

    @cached_property
    def bank(self) -> AnswerBank:
        return load_answers(self.unit.mistakes_folder)

    @cached_property
    def lecture_run(self) -> Execution:
        if not self.run:
            return Execution(read_notebook(self.unit.lecture_notebook()), 0.0, 0.0, None)
        return build.execute_lecture(self.unit)

    @cached_property
    def solution_run(self) -> Execution:
        return build.execute_solution(self.unit)

    @cached_property
    def scores(self) -> dict[str, dict[str, Score]]:
        """The scores per question of the whole "solution" and of the whole "blank" release."""
        whole = self._run([self.solution, self.blank])
        return dict(zip(("solution", "blank"), map(score_notebook, whole), strict=True))

    @cached_property
    def alone(self) -> dict[str, Score]:
        """The score of each question when its answer is the solution's and no other is given."""
        solved = answer_sources(self.solution)
        asked = [question for question in auto_questions(self.solution) if question in solved]
        answers = [Answer(question, solved[question], self._seconds) for question in asked]
        done = self._try(self.blank, answers)
        return {
            question: score_notebook(nb)[question] for question, nb in zip(asked, done, strict=True)
        }

    @cached_property
    def attempts(self) -> list[Attempt]:
        """The bank, as programs."""
        right = {name: solved(source) for name, source in answer_sources(self.solution).items()}
        return [a for a in self.bank.attempts(right) if a.first or self.variants]

    @cached_property
    def tried(self) -> dict[Attempt, NotebookNode]:
        """The cells of its question, run with this answer; the other questions are solved."""
        asked = auto_questions(self.solution)  # answers_listed reports those of other questions
        known = [attempt for attempt in self.attempts if attempt.question in asked]
        done = self._try(self.solution, [Answer(a.question, a.code, self._seconds) for a in known])
        return dict(zip(known, done, strict=True))

    @cached_property
    def rounds(self) -> list[dict[str, Attempt]]:
        """Answers to every question at once: the first mistakes of all questions, the
        last ones, and the same of the alternatives."""
        rounds = []
        for wrong in (True, False):
            of_question: dict[str, list[Attempt]] = {}
            for attempt in self.tried:
                if (attempt.mistake is not None) is wrong:
                    of_question.setdefault(attempt.question, []).append(attempt)
            for rank in (0, -1):
                rounds.append({q: attempts[rank] for q, attempts in of_question.items()})
        return [answers for answers in rounds if answers]

    @cached_property
    def lean(self) -> NotebookNode:
        """The solution without the cells between its questions that show what an answer is good
        for, and may take seconds, if it gets full marks without them: then no test needs them."""
        cells = self.solution.cells
        first = next((i for i, cell in enumerate(cells) if is_answer(cell)), 0)
        lean = self.solution.copy()
        lean.cells = cells[:first] + [cell for cell in cells[first:] if grade_id(cell)]
        (done,) = self._run([lean])
        needless = all(score.points == score.possible for score in score_notebook(done).values())
        return lean if needless else self.solution

    @cached_property
    def together(self) -> list[dict[str, Score]]:
        """The scores of a whole notebook (see `lean`) for each round, in which every question has
        the answer of this round. A question with none is solved."""
        return [
            score_notebook(nb)
            for nb in self._run(
                with_answers(self.lean, {q: a.code for q, a in answers.items()})
                for answers in self.rounds
            )
        ]

    @property
    def _seconds(self) -> float:
        return self.unit.assignment.max_seconds

    @property
    def _how(self) -> dict[str, Any]:
        folder = self.unit.release_notebook().parent
        return {"cell_seconds": self._seconds, "folder": folder, "jobs": self.jobs}

    def _run(self, notebooks: Iterable[NotebookNode]) -> list[NotebookNode]:
        return run_variants(list(notebooks), **self._how)

    def _try(self, nb: NotebookNode, answers: list[Answer]) -> list[NotebookNode]:
        return run_answers(nb, answers, **self._how)
