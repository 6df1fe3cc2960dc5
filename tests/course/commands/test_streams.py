"""What the command line does with terminals, pipes and names of all kinds."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from course import cli

ROOT = Path(cli.__file__).parents[1]
MODEL = "course/models/best-in-1500-bytes.slm"
PYTHON = shlex.quote(sys.executable)  # its folder may have a blank in its name
PREDICT = f"{PYTHON} -m course predict {MODEL}"


def shell(command, **environment):
    """Exit code, what was printed, and what was complained of, of a command line of a shell."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8", **environment},
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in out + err and "Exception ignored" not in err
    return done.returncode, out, err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_the_letters_of_a_text(encoding):
    code, out, _ = shell(f"printf 'caf\\u00e9 \\u2603\\n' | {PREDICT}", PYTHONIOENCODING=encoding)
    assert code == 0 and json.loads(out)["text"] == "caf\u00e9 \u2603"


def test_help_on_a_terminal_without_its_lines():
    code, out, _ = shell(f"{PYTHON} -m course check --help", PYTHONIOENCODING="ascii")
    assert code == 0 and "Usage" in out


def test_the_reader_goes_away():
    code, out, err = shell(f"yes thanks | {PREDICT} | head -2; echo ${{PIPESTATUS[1]}}")
    *answers, status = out.splitlines()
    assert [json.loads(answer)["text"] for answer in answers] == ["thanks"] * 2
    assert err == "" and int(status) in (0, 1)


def test_streams_that_were_closed():
    code, _, err = shell(f"{PREDICT} <&-")
    assert code == 2 and err.startswith("Error: Standard input is closed")
    assert shell(f"echo thanks | {PREDICT} >&-") == (0, "", "")
    assert shell(f"{PYTHON} -m course --help >&- 2>&-") == (0, "", "")


@pytest.mark.parametrize(
    "arguments", ["predict {}", f"predict {MODEL} {{}}", "check {}", "evaluate {}"]
)
def test_a_name_of_5000_letters(arguments):
    long = "x" * 5000
    code, _, err = shell(f"{PYTHON} -m course {arguments.format(long)}")
    assert code == 2 and "Usage" in err or err.startswith("Error:") and len(err) < 1000
