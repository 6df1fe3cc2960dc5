"""The course as a program: build the notebooks, run them, check them, grade them, report on them.

`python -m course --help` lists the commands. `utils` (what the notebooks import) knows nothing of
this package.
"""
