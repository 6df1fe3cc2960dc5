"""From what a class handed in to one submission for each student and unit: found, read, mended,
chosen, and listed with what was found. Nothing that a student wrote is run here."""

from course.grading.intake.students import HandIn, hand_ins
from course.grading.intake.submissions import (
    COULD_NOT_RUN,
    NEEDS_A_LOOK,
    READY,
    Submission,
    read_class,
    submission_of,
    units_of,
)

__all__ = [
    "COULD_NOT_RUN",
    "NEEDS_A_LOOK",
    "READY",
    "HandIn",
    "Submission",
    "hand_ins",
    "read_class",
    "submission_of",
    "units_of",
]
