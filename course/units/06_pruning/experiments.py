"""What units 06 and 07 measure."""

from course.measuring.results import Experiment

from .emotions import EMOTIONS
from .rules import RULES
from .transformer import (
    heads,
    living,
    longer_latency,
    movement,
    one_at_a_time,
    strengths,
    structure,
    structure_latency,
    structure_longer,
)
from .units import UNITS

TRANSFORMER = [
    Experiment("heads", heads),
    Experiment("prices of heads", strengths),
    Experiment("which heads live", living, scored=False),
    Experiment("one head off", one_at_a_time, scored=False),
    Experiment("structure", structure),
    Experiment("structure, longer", structure_longer),
    Experiment("movement", movement),
    Experiment("structure latency", structure_latency, seeded=False, alone=True, scored=False),
    Experiment("structure latency, longer", longer_latency, seeded=False, alone=True, scored=False),
]
EXPERIMENTS = [*RULES, *UNITS, *EMOTIONS, *TRANSFORMER]
