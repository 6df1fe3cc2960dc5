"""How nbgrader is set up for this course. Read by `nbgrader` itself and by `python -m course`.

Folders: solutions/ (with solutions and hidden tests) -> assignments/ (what students get), both
generated from course/units/ by `python -m course build`; everything about a class is in grading/,
which git ignores.
"""

from pathlib import Path

c = get_config()  # noqa: F821 - nbgrader defines it

root = Path(__file__).resolve().parent
c.CourseDirectory.root = str(root)
c.CourseDirectory.course_id = "small_language_models"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/feedback"
c.CourseDirectory.db_url = f"sqlite:///{root / 'grading' / 'gradebook.db'}"

# nbgrader copies every file beside a notebook to the release, and from a submission to the place
# where it is run. An assignment of this course is one notebook, and a student's random.py would
# shadow the standard library's. (Not "*": the exchange uses this list too, for the notebooks.)
c.CourseDirectory.ignore = [
    *(".*", "*~", "*.py", "*.pyc", "__pycache__", "*.toml", "*.md", "*.html", "feedback"),
    "graded.txt",  # of `python -m course grade`: what a graded notebook was made of
    *("*.json", "*.tsv", "*.csv", "*.bin", "*.safetensors", "*.zst", "*.npz", "*.npy", "*.pkl"),
]

c.ClearSolutions.code_stub = {
    "python": '# YOUR CODE HERE\nraise NotImplementedError("Replace this with your answer.")'
}

# For `nbgrader validate`, which allows 30 s a cell, in which a correct but slow answer fails.
c.Execute.timeout = 300
c.Execute.startup_timeout = 300
c.OverwriteCells.add_missing_cells = True
c.Exporter.optimistic_validation = True  # a notebook is validated once, after all preprocessors
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "course.grading.preprocessors.RepairSubmission",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "course.grading.preprocessors.RestoreCells",
    "course.grading.preprocessors.CheckMetadata",
]
# In place of nbgrader's Execute: students' code in a sandbox, tests outside (see docs/judge.md). It
# takes c.JudgedExecute.seconds, .seed, .scheduler and .unsafe; `python -m course grade` has options for it.
c.Autograde.autograde_preprocessors = [
    "course.grading.execute.JudgedExecute",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "course.grading.preprocessors.CheckMetadata",
]
seed = root / "grading" / "seed.txt"  # which `python -m course grade` writes
c.JudgedExecute.seed = seed.read_text(encoding="utf-8") if seed.is_file() else ""
c.GenerateFeedback.exporter_class = "course.grading.warm.FeedbackExporter"
# Feedback opens with what was lost and why; it shows the message of each failed test, never the
# hidden test itself. (Set for GenerateFeedback alone: the formgrader has a template of its own.)
c.GenerateFeedback.preprocessors = [
    "course.grading.feedback.Opening",
    "course.grading.preprocessors.HideTests",
]
c.GenerateFeedback.HTMLExporter.template_name = "feedback_page"
c.GenerateFeedback.HTMLExporter.extra_template_basedirs = [
    str(root / "course" / "assets" / "nbconvert")
]
# In feedback, and in the formgrader.
c.HTMLExporter.filters = {"markdown2html": "course.grading.preprocessors.safe_markdown"}
