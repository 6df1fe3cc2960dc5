import shutil
import stat

from traitlets.config import PyFileConfigLoader

from course.grading import seeds
from course.grading.nbgrader_setup import CONFIG_FILE, load_config
from course.grading.seeds import class_seed


def test_a_class_has_one_seed_that_is_nobody_elses(tmp_path):
    one = class_seed(tmp_path / "one")
    assert len(one) == 32 and class_seed(tmp_path / "one") == one
    assert class_seed(tmp_path / "other") != one
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["seed.txt"]


def test_the_seed_that_was_given_last_stays(tmp_path):
    class_seed(tmp_path)
    assert class_seed(tmp_path, "autumn") == "autumn" == class_seed(tmp_path)
    assert class_seed(tmp_path, "winter") == "winter" == class_seed(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["seed.txt"]


def test_of_two_that_draw_at_once_both_take_the_first(tmp_path, monkeypatch):
    def other(count):
        monkeypatch.undo()
        class_seed(tmp_path, "first")
        return "second"

    monkeypatch.setattr(seeds.secrets, "token_hex", other)
    assert class_seed(tmp_path) == "first"
    assert stat.S_ISREG((tmp_path / "seed.txt").stat().st_mode)


def test_nbgrader_typed_by_hand_has_the_seed_of_its_class_and_no_other_has(tmp_path):
    shutil.copy(CONFIG_FILE, tmp_path)
    read = PyFileConfigLoader(CONFIG_FILE.name, str(tmp_path)).load_config
    assert read().JudgedExecute.seed == ""
    assert class_seed(tmp_path / "grading", "autumn") == read().JudgedExecute.seed
    assert load_config(tmp_path / "elsewhere").JudgedExecute.seed == ""
