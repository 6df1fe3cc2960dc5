"""Right answers to the questions of the tiny unit."""

RIGHT = {
    "q1": """def median(values):
    ordered = sorted(values)
    return (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2
""",
    "q2": """def shares(counts):
    return [count / max(sum(counts), 1) for count in counts]
""",
}
