"""A unit on the bench: its notebooks, and what comes out when its answers are run."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from nbformat import NotebookNode

from course.proving.harness import Answer, run_answers, run_variants
from course.proving.mistakes import LOOP_SECONDS, Alternative, AnswerBank, Mistake, load_answers
from course.proving.scores import Score, score_notebook
from course.writing import build
from course.writing.execute import Execution
from course.writing.notebooks import (
    answer_sources,
    auto_questions,
    grade_id,
    is_answer,
    read_notebook,
    with_answers,
)
from course.writing.units import Unit

AnyAnswer = Mistake | Alternative


def loops(answer: AnyAnswer) -> bool:
    """Whether somebody has marked the answer as one that never ends."""
    return isinstance(answer, Mistake) and answer.loops


class Workbench:
    """A unit and what the gates need to know of it, each made once, when first asked for.

    Unless `run`, the lecture in the repository stands for one that was run just now. Of the bank's
    answers it tries `part` (k, n), the k-th of n parts counted from 0, so that several processes
    can share them."""

    def __init__(
        self, unit: Unit, jobs: int = 2, run: bool = True, part: tuple[int, int] = (0, 1)
    ) -> None:
        self.unit = unit
        self.jobs = jobs
        self.run = run
        self.part = part

    @cached_property
    def lecture(self) -> NotebookNode:
        return build.lecture_from_source(self.unit)

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
        return load_answers(self.unit.mistakes_source)

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
    def rounds(self) -> list[dict[str, AnyAnswer]]:
        """This part of the bank in rounds: in one are the first mistakes of all questions, in the
        next the second ones, and so on, and then the same of the alternatives."""
        rounds = []
        for kind in (self.bank.mistakes, self.bank.alternatives):
            of_question: dict[str, list] = {}
            for answer in kind:
                of_question.setdefault(answer.question, []).append(answer)
            for rank in range(max(map(len, of_question.values()), default=0)):
                rounds.append({q: a[rank] for q, a in of_question.items() if rank < len(a)})
        part, parts = self.part
        return rounds[part::parts]

    @cached_property
    def tried(self) -> dict[AnyAnswer, NotebookNode]:
        """The cells of its question, run with this answer; the other questions are solved."""
        answers = [answer for answers in self.rounds for answer in answers.values()]
        seconds = [LOOP_SECONDS if loops(answer) else self._seconds for answer in answers]
        done = self._try(
            self.solution,
            [Answer(a.question, a.code, s) for a, s in zip(answers, seconds, strict=True)],
        )
        return dict(zip(answers, done, strict=True))

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
        the answer of this round. One with none left is solved, and so is one whose answer loops."""
        return [
            score_notebook(nb)
            for nb in self._run(
                with_answers(self.solution, {q: a.code for q, a in answers.items() if not loops(a)})
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
