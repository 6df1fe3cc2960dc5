"""Proving units: the gates they pass, the wrong answers they must catch, the harness that runs these."""
