import os

from course.threads import one_thread

one_thread()  # before anything imports torch: the workers of pytest-xdist share the cores

from hypothesis import settings  # noqa: E402

# No deadline: a busy machine must not fail a test. In CI the examples are the same in every run, so
# that a red run means a changed program; everywhere else hypothesis goes on looking.
settings.register_profile("course", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "course")


def pytest_xdist_make_scheduler(config, log):
    """A file's tests go to one worker, since they share what its fixtures make once. The gates of
    the units share nothing and take longest, so each of them goes to whichever worker is free.

    The order is that of the folders, not xdist's own of files with many tests first: the longest
    are those of `course`, and quick ones of `utils` fill up the end."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::")[0]
            return nodeid if file.endswith("test_every_unit.py") else file

    config.option.loadscopereorder = False
    return Scheduling(config, log)
