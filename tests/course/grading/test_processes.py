"""Whose turn it is, of threads that grade."""

import threading

from course.grading.processes import in_turn, while_waiting


def test_one_thread_at_a_time_has_its_turn_and_gives_it_up_while_it_waits():
    said, may_go = [], threading.Event()

    def first():
        with in_turn():
            said.append("first begins")
            begun.set()
            with while_waiting():
                may_go.wait()
            said.append("first ends")

    begun = threading.Event()
    thread = threading.Thread(target=first)
    thread.start()
    begun.wait()
    with in_turn():
        may_go.set()  # but it is not its turn
        thread.join(0.05)
        said.append("second")
    thread.join()
    assert said == ["first begins", "second", "first ends"]


def test_who_has_no_turn_waits_without_giving_one_up():
    with in_turn():
        other = threading.Thread(target=lambda: while_waiting().__enter__())
        other.start()
        other.join()
    with while_waiting(), in_turn():
        pass
