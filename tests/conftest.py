import os

from course.threads import one_thread

one_thread()  # before anything imports torch: the workers of pytest-xdist share the cores

from hypothesis import settings  # noqa: E402

# No deadline: a busy machine must not fail a test. In CI the examples are the same in every run, so
# that a red run means a changed program; everywhere else hypothesis goes on looking.
settings.register_profile("course", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "course")
