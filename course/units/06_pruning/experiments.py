"""What units 06 and 07 measure."""

from .rules import RULES
from .units import UNITS

EXPERIMENTS = [*RULES, *UNITS]
