"""The teachers that unit 02 and later units learn from, trained from nothing, and what they say.

``python -m course teachers NAME`` trains one, on a GPU when there is one, and keeps its logits for every
comment of every split, and of the course's own sample. What is shipped is not the teacher but these
logits, keyed by comment id: a student distils from them in seconds, without ever running the teacher.

A teacher is a class as :class:`course.measuring.teachers.base.Teacher` has it, in a file of its own, and
an entry of :data:`course.measuring.teachers.trained.TEACHERS`.
"""
