"""Grading a class with nbgrader, and the demo class whose scores are known."""
