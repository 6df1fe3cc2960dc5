"""Question 5, a policy of depth for a server: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

NO_LIBRARY = "The rule of this question is nowhere in utils, which measures and does not choose."

FILL = "64 * 1000 / per_second"
OF_64 = '{t["name"]: t for t in timings if t["batch_size"] == 64}'
QUALITY = "full is not None and full[0] < -max_loss"
EARNED = "equal is not None and equal[0] <= 0"
UNTIMED = '            broken.append("not timed")\n'
THROUGHPUT = 'timing["p50_ms"] > fill_ms'
LATENCY = 'fill_ms + timing["p99_ms"] > max_p99_ms'
SLOWER = 'reasons[name] = broken or ["slower"]'
FITTING = '[p for p in policies if reasons[p["name"]] == ["slower"]]'
KEY = '(of_64[p["name"]]["p50_ms"], -p["macro_f1"])'
CHOICE = f"min(fitting, key=lambda p: {KEY})"
DELETE = '    del reasons[choice["name"]]\n'
RETURN = 'return choice["name"], reasons'
NOTHING = "return None, reasons"
IF_SLOWER = """for name, why in reasons.items():
        if (
            why != ["slower"]
            and name in of_64
            and of_64[name]["p50_ms"] {than} of_64[choice["name"]]["p50_ms"]
        ):
            why.append("slower")
    return choice["name"], reasons"""

SCALED = (
    '{t["name"]: t | {"p50_ms": 64 * t["p50_ms"], "p99_ms": 64 * t["p99_ms"]} '
    'for t in timings if t["batch_size"] == 1}'
)


def reckoned(which: str, factor: str) -> tuple:
    code = (
        f"            alone = [t for t in timings if t['name'] == name and {which}]\n"
        f"            if alone and alone[0]['p50_ms'] * {factor} > fill_ms:\n"
        "                broken.append('throughput')\n"
        f"            if alone and fill_ms + alone[0]['p99_ms'] * {factor} > max_p99_ms:\n"
        "                broken.append('latency')\n"
    )
    return ((UNTIMED, UNTIMED + code),)


def quality(code: str) -> tuple:
    return ((QUALITY, code),)


def earned(code: str) -> tuple:
    return ((EARNED, code),)


def throughput(code: str) -> tuple:
    return ((THROUGHPUT, code),)


def latency(code: str) -> tuple:
    return ((LATENCY, code),)


def key(code: str) -> tuple:
    return ((KEY, code),)


def lists_of(sizes: str) -> tuple:
    return ((OF_64, f'{{t["name"]: t for t in timings if {sizes}}}'),)


# The choice is made first, and reasons are given to all others.
FIRST_REASON = ((SLOWER, 'reasons[name] = broken[:1] or ["slower"]'),)

MISTAKES = [
    # -------------------------------------------------------------------------------- quality
    Mistake(
        name="quality-by-the-difference",
        misconception="The difference is what was lost.",
        message="You compare the middle of the interval, or its upper end, with the loss allowed. Its "
        "lower end counts: as long as it is below, a larger loss is not ruled out.",
        changes=quality("full is not None and sum(full) / 2 < -max_loss"),
        variants=(quality("full is not None and full[1] < -max_loss"),),
    ),
    Mistake(
        name="quality-below-0",
        misconception="Any loss is a loss of quality.",
        message="You call every interval that reaches below 0 a loss. `max_loss` may be lost.",
        changes=quality("full is not None and full[0] < 0"),
    ),
    Mistake(
        name="quality-by-significance",
        misconception="A loss that is not significant is none.",
        message="A policy is out in your answer only where a loss is certain, as the whole interval is "
        "below 0. It is out as long as a loss of more than `max_loss` is not ruled out.",
        changes=quality("full is not None and full[1] < 0"),
    ),
    Mistake(
        name="quality-with-the-wrong-sign",
        misconception="A loss is a positive number.",
        message="You compare with max_loss and not with -max_loss. A loss is a difference below 0.",
        changes=quality("full is not None and full[0] < max_loss"),
        variants=(quality("full is not None and full[0] > max_loss"),),
    ),
    Mistake(
        name="quality-at-the-limit",
        misconception="A limit must not be reached.",
        message="An interval that begins just at -max_loss is out in your answer. It does not reach "
        "below.",
        changes=quality("full is not None and full[0] <= -max_loss"),
    ),
    Mistake(
        name="quality-ignored",
        misconception="The server cares for time.",
        message='You never give the reason "quality".',
        changes=quality("False"),
    ),
    Mistake(
        name="quality-of-the-other-interval",
        misconception="The two intervals say the same.",
        message="You take quality from `to_equal`. Against the full depth there is `to_full`.",
        changes=quality("equal is not None and equal[0] < -max_loss"),
    ),
    Mistake(
        name="full-depth-without-an-interval",
        misconception="What has no interval was not proven.",
        message="You put the full depth out for quality. It has no interval because it loses nothing "
        "against itself.",
        changes=quality("full is None or full[0] < -max_loss"),
    ),
    # -------------------------------------------------------------------------------- earned
    Mistake(
        name="earned-by-the-difference",
        misconception="A difference above 0 is a gain.",
        message="You look at the middle of `to_equal`, or at its upper end. The whole interval has to "
        "lie above 0.",
        changes=earned("equal is not None and sum(equal) / 2 <= 0"),
        variants=(earned("equal is not None and equal[1] <= 0"),),
    ),
    Mistake(
        name="earned-at-0",
        misconception="An interval that begins at 0 lies above it.",
        message="An interval that begins at 0 counts as above 0 in your answer. It does not.",
        changes=earned("equal is not None and equal[0] < 0"),
    ),
    Mistake(
        name="earned-ignored",
        misconception="What is fast enough is good enough.",
        message='You never give the reason "not earned".',
        changes=earned("False"),
    ),
    Mistake(
        name="fixed-depth-not-earned",
        misconception="What has no control has earned nothing.",
        message="You put policies of fixed depth out as not earned. They need no such control.",
        changes=earned("equal is None or equal[0] <= 0"),
    ),
    Mistake(
        name="earned-if-the-loss-is-allowed",
        misconception="One tolerance is for all intervals.",
        message="You compare `to_equal` with -max_loss, or with max_loss. It has to lie above 0.",
        changes=earned("equal is not None and equal[0] <= -max_loss"),
        variants=(
            earned("equal is not None and equal[0] < -max_loss"),
            earned("equal is not None and equal[0] <= max_loss"),
        ),
    ),
    Mistake(
        name="earned-against-the-full-depth",
        misconception="To earn something is to beat the full depth.",
        message="You ask whether an adaptive policy beats the full depth. What it has to beat is a "
        "control with as many steps, in `to_equal`.",
        changes=earned("equal is not None and full is not None and full[0] <= 0"),
        variants=(earned("full is not None and full[0] <= 0"),),
    ),
    Mistake(
        name="significant-either-way-is-earned",
        misconception="An interval without 0 is a gain.",
        message="You count an interval below 0 as earned. It has to lie above 0.",
        changes=earned("equal is not None and equal[0] <= 0 <= equal[1]"),
    ),
    Mistake(
        name="earned-the-wrong-way-round",
        misconception="What beats its control needs explaining.",
        message="You put those policies out that beat their control.",
        changes=earned("equal is not None and equal[0] > 0"),
    ),
    # -------------------------------------------------------------------------------- timings
    Mistake(
        name="timings-of-single-comments",
        misconception="A policy that is fast for one comment is fast for a batch.",
        message="You take the timings of single comments. The server computes batches of 64.",
        changes=lists_of('t["batch_size"] == 1'),
    ),
    Mistake(
        name="timings-of-8",
        misconception="One size of batches is like another.",
        message="You take the timings of batches of 8. The server computes batches of 64.",
        changes=lists_of('t["batch_size"] == 8'),
    ),
    Mistake(
        name="last-timing-of-each",
        misconception="A policy has one timing.",
        message="You take the timing of a policy that comes last, or first, in the list, whatever its "
        "batch size. It is the one at 64.",
        changes=lists_of("True"),
        variants=(((OF_64, '{t["name"]: t for t in reversed(timings)}'),),),
    ),
    Mistake(
        name="largest-batch-timed",
        misconception="The largest batch that was timed will do.",
        message="Where 64 was not timed you take the largest batch that was. Such a policy is not timed.",
        changes=(
            (OF_64, '{t["name"]: t for t in sorted(timings, key=lambda t: t["batch_size"])}'),
        ),
    ),
    Mistake(
        name="smallest-batch-timed",
        misconception="Without a timing at 64, that of a single comment will do.",
        message="Where 64 was not timed you take a smaller batch. Such a policy is not timed.",
        changes=(
            (
                OF_64,
                '{t["name"]: t for t in sorted(timings, key=lambda t: '
                '(t["batch_size"] == 64, -t["batch_size"]))}',
            ),
        ),
    ),
    Mistake(
        name="timing-per-comment",
        misconception="A timing is that of a comment.",
        message="You divide the milliseconds of a batch by 64, or multiply them. They are those of the "
        "whole batch.",
        changes=(
            *throughput('timing["p50_ms"] / 64 > fill_ms'),
            *latency('fill_ms + timing["p99_ms"] / 64 > max_p99_ms'),
        ),
        variants=(
            (
                *throughput('timing["p50_ms"] * 64 > fill_ms'),
                *latency('fill_ms + timing["p99_ms"] * 64 > max_p99_ms'),
            ),
        ),
    ),
    Mistake(
        name="not-timed-is-fine",
        misconception="What was not measured is no reason.",
        message="You give no reason where a policy was not timed at 64.",
        changes=(
            (UNTIMED, "            pass\n"),
            (KEY, '(of_64[p["name"]]["p50_ms"] if p["name"] in of_64 else 1e9, -p["macro_f1"])'),
        ),
        variants=(
            (
                (UNTIMED, "            pass\n"),
                (KEY, '(of_64[p["name"]]["p50_ms"] if p["name"] in of_64 else 0, -p["macro_f1"])'),
            ),
        ),
    ),
    Mistake(
        name="not-timed-is-left-out",
        misconception="A policy that was not timed need not be mentioned.",
        message="You leave out policies that were not timed at 64. Each other policy has its reasons.",
        changes=(
            (UNTIMED, "            continue\n"),
            (FITTING, FITTING.replace('reasons[p["name"]]', 'reasons.get(p["name"])')),
        ),
    ),
    Mistake(
        name="not-timed-is-slow",
        misconception="What was not timed is out for its time.",
        message="For a policy that was not timed you give throughput or latency as reasons. Nobody "
        'knows about these: its reason is "not timed".',
        changes=((UNTIMED, '            broken += ["not timed", "throughput", "latency"]\n'),),
        variants=(
            ((UNTIMED, '            broken += ["throughput", "latency"]\n'),),
            ((UNTIMED, '            broken += ["not timed", "latency"]\n'),),
            ((UNTIMED, '            broken.append("latency")\n'),),
        ),
    ),
    Mistake(
        name="not-timed-is-reckoned",
        misconception="A time that is missing can be reckoned from smaller batches.",
        message="Where a policy was not timed at 64, you reckon throughput or latency from smaller "
        'batches. What a batch of 64 takes does not follow from these: its reason is "not timed".',
        changes=reckoned("t['batch_size'] == 1", "64"),
        variants=(
            reckoned("t['batch_size'] == 1", "1"),
            reckoned("t['batch_size'] == 8", "8"),
            reckoned("t['batch_size'] == 8", "1"),
            reckoned("True", "64 / alone[0]['batch_size']"),
            ((OF_64, f"{{**{SCALED}, **{OF_64}}}"),),
        ),
    ),
    Mistake(
        name="single-comments-times-64",
        misconception="A batch of 64 takes 64 times as long as a comment.",
        message="You reckon the time of a batch of 64 as 64 times that of a single comment. It was "
        "measured: take the timing at 64.",
        changes=((OF_64, SCALED),),
    ),
    Mistake(
        name="not-timed-alone",
        misconception="What was not timed has that one reason.",
        message="A policy that was not timed has this reason alone in your answer. The others that "
        "apply count, too.",
        changes=((UNTIMED, '            broken = ["not timed"]\n'),),
    ),
    Mistake(
        name="no-timing-breaks-the-loop",
        misconception="Each policy was timed.",
        message="Your answer fails where a policy has no timing at 64, with an error that it raises.",
        changes=(("of_64.get(name)", "of_64[name]"),),
    ),
    # -------------------------------------------------------------------------------- throughput
    Mistake(
        name="throughput-by-p99",
        misconception="Percentiles are for every limit.",
        message="You ask of p99 whether the server keeps up. A queue evens single slow batches out: it "
        "is the median.",
        changes=throughput('timing["p99_ms"] > fill_ms'),
    ),
    Mistake(
        name="throughput-at-the-limit",
        misconception="A batch must take less than the next one needs to arrive.",
        message="A batch that takes just as long as 64 comments take to arrive is out in your answer. "
        "It does not take longer.",
        changes=throughput('timing["p50_ms"] >= fill_ms'),
    ),
    Mistake(
        name="throughput-the-wrong-way-round",
        misconception="A server keeps up if its batches take long enough.",
        message="You put policies out whose batches are done before the next 64 have come.",
        changes=throughput('timing["p50_ms"] < fill_ms'),
    ),
    Mistake(
        name="throughput-ignored",
        misconception="Latency is all that time is about.",
        message='You never give the reason "throughput".',
        changes=throughput("False"),
    ),
    Mistake(
        name="throughput-with-the-promise",
        misconception="A batch has as much time as an author has patience.",
        message="You compare the median with `max_p99_ms`. A batch has to be done while the next 64 "
        "arrive.",
        changes=throughput('timing["p50_ms"] > max_p99_ms'),
        variants=(throughput('fill_ms + timing["p50_ms"] > max_p99_ms'),),
    ),
    Mistake(
        name="throughput-of-single-comments",
        misconception="1000 / per_second is the time for a batch.",
        message="You compare a batch with the time in which one comment arrives. It is that of 64.",
        changes=throughput('timing["p50_ms"] > 1000 / per_second'),
    ),
    # -------------------------------------------------------------------------------- latency
    Mistake(
        name="latency-without-waiting",
        misconception="Latency is the time of the computation.",
        message="You leave out the time in which the batch fills. The first comment waits for it.",
        changes=latency('timing["p99_ms"] > max_p99_ms'),
    ),
    Mistake(
        name="latency-by-the-median",
        misconception="The median is how long an author waits.",
        message="You hold the median to the promise. It is p99.",
        changes=latency('fill_ms + timing["p50_ms"] > max_p99_ms'),
    ),
    Mistake(
        name="latency-of-the-mean-wait",
        misconception="On average a comment waits for half of a batch.",
        message="You count half of the time in which the batch fills. Its first comment waits for all "
        "of it.",
        changes=latency('fill_ms / 2 + timing["p99_ms"] > max_p99_ms'),
    ),
    Mistake(
        name="latency-with-63",
        misconception="The first comment waits for 63 others.",
        message="You reckon with the time of 63 comments, where the question says 64.",
        changes=latency('fill_ms * 63 / 64 + timing["p99_ms"] > max_p99_ms'),
        variants=(
            ((FILL, "63 * 1000 / per_second"),),
            (
                (FILL, "63 * 1000 / per_second"),
                (THROUGHPUT, 'timing["p50_ms"] > 64 * 1000 / per_second'),
            ),
        ),
    ),
    Mistake(
        name="latency-at-the-limit",
        misconception="A promise must not be used up.",
        message="A sum of just `max_p99_ms` is out in your answer. It keeps the promise.",
        changes=latency('fill_ms + timing["p99_ms"] >= max_p99_ms'),
    ),
    Mistake(
        name="latency-ignored",
        misconception="A server that keeps up is fast enough.",
        message='You never give the reason "latency".',
        changes=latency("False"),
    ),
    Mistake(
        name="latency-only-if-throughput-holds",
        misconception="Where the queue grows without end, latency is no question.",
        message="Where throughput fails you do not look at latency. All reasons that apply are asked "
        "for.",
        changes=latency(f"not {THROUGHPUT} and {LATENCY}"),
    ),
    Mistake(
        name="throughput-only-if-latency-holds",
        misconception="Where the promise is broken, throughput is no question.",
        message="Where latency fails you do not look at throughput. All reasons that apply are asked "
        "for.",
        changes=throughput(f"{THROUGHPUT} and not {LATENCY}"),
    ),
    Mistake(
        name="earned-only-if-quality-holds",
        misconception="Where quality fails, the control is no question.",
        message="Where quality fails you do not look at `to_equal`. All reasons that apply are asked "
        "for.",
        changes=earned(f"{EARNED} and not broken"),
    ),
    Mistake(
        name="latency-of-two-batches",
        misconception="A comment waits for the batch before its own, too.",
        message="You add another batch, or its filling, to the latency. A comment waits until its batch "
        "is full, and until it is computed.",
        changes=latency('fill_ms + timing["p50_ms"] + timing["p99_ms"] > max_p99_ms'),
        variants=(latency('2 * fill_ms + timing["p99_ms"] > max_p99_ms'),),
    ),
    # -------------------------------------------------------------------------------- units
    Mistake(
        name="seconds-for-milliseconds",
        misconception="The time to fill a batch is 64 / per_second.",
        message="The time in which a batch fills is in seconds in your answer, and all else is in "
        "milliseconds.",
        changes=((FILL, "64 / per_second"),),
    ),
    Mistake(
        name="fill-time-of-one-comment",
        misconception="A batch fills with one comment.",
        message="You take the time in which one comment arrives for that of 64.",
        changes=((FILL, "1000 / per_second"),),
    ),
    Mistake(
        name="fill-time-upside-down",
        misconception="More comments take longer to arrive.",
        message="Your time to fill a batch grows with the comments per second. It shrinks.",
        changes=((FILL, "per_second * 1000 / 64"),),
        variants=(((FILL, "per_second / 64"),),),
    ),
    Mistake(
        name="fill-time-rounded",
        misconception="Milliseconds are whole numbers.",
        message="You wait in whole hundredths of a second, or cut the time to fill a batch off. "
        "Reckon with it as it is.",
        changes=((FILL, "64 * 1000 // per_second // 10 * 10"),),
    ),
    # -------------------------------------------------------------------------------- the choice
    Mistake(
        name="best-f1",
        misconception="Of those that keep to the limits, the best is chosen.",
        message="You choose the highest F1. Of those that are out for nothing, it is the one whose "
        "batches take least.",
        changes=key('(-p["macro_f1"], of_64[p["name"]]["p50_ms"])'),
        variants=(key('-p["macro_f1"]'),),
    ),
    Mistake(
        name="least-p99",
        misconception="The fastest is the one with the lowest p99.",
        message="You choose the lowest p99. It is the lowest median.",
        changes=key('(of_64[p["name"]]["p99_ms"], -p["macro_f1"])'),
        variants=(key('of_64[p["name"]]["p99_ms"]'),),
    ),
    Mistake(
        name="tie-by-order",
        misconception="The first of the fastest is the choice.",
        message="On a tie you choose the first in the list. It is the one with the higher F1.",
        changes=key('of_64[p["name"]]["p50_ms"]'),
    ),
    Mistake(
        name="tie-by-lower-f1",
        misconception="A tuple is compared from small to large, whatever it holds.",
        message="On a tie you choose the lower F1. It is the higher.",
        changes=key('(of_64[p["name"]]["p50_ms"], p["macro_f1"])'),
    ),
    Mistake(
        name="slowest",
        misconception="More time is more quality.",
        message="You choose the policy whose batches take most. It is the one whose batches take least.",
        changes=((CHOICE, CHOICE.replace("min(", "max(")),),
        variants=(key('(-of_64[p["name"]]["p50_ms"], -p["macro_f1"])'),),
    ),
    Mistake(
        name="fastest-alone",
        misconception="The fastest policy for one comment is the fastest.",
        message="You choose the policy that is fastest for a single comment. It is the one whose "
        "batches of 64 take least.",
        changes=key(
            '(min(t["p50_ms"] for t in timings if t["name"] == p["name"] and t["batch_size"] == 1), '
            '-p["macro_f1"])'
        ),
    ),
    Mistake(
        name="first-that-fits",
        misconception="Any policy that fits will do.",
        message="You choose the first, or the last, policy that is out for nothing.",
        changes=((CHOICE, "fitting[0]"),),
        variants=(((CHOICE, "fitting[-1]"),),),
    ),
    Mistake(
        name="something-always-fits",
        misconception="A server must run something.",
        message="Where all are out you choose one of them. There is no choice then: None.",
        changes=((NOTHING, 'return (policies[0]["name"] if policies else None), reasons'),),
        variants=(
            (
                (
                    NOTHING,
                    'best = min(policies, key=lambda p: len(reasons[p["name"]]), default=None)\n'
                    '        if best is not None:\n            del reasons[best["name"]]\n'
                    '        return (best and best["name"]), reasons',
                ),
            ),
        ),
    ),
    Mistake(
        name="nothing-fits-without-reasons",
        misconception="Without a choice there is nothing to say.",
        message="Where all are out you give no reasons. They tell what to change.",
        changes=((NOTHING, "return None, {}"),),
        variants=(((NOTHING, "return None"),),),
    ),
    Mistake(
        name="nothing-fits-raises",
        misconception="No choice is an error.",
        message="Where all are out your answer raises an error. Return None and the reasons.",
        changes=((NOTHING, 'raise ValueError("nothing fits")'),),
        variants=((("    if not fitting:\n        " + NOTHING + "\n", ""),),),
    ),
    # -------------------------------------------------------------------------------- the reasons
    Mistake(
        name="first-reason-alone",
        misconception="One reason is enough.",
        message="You give one reason where several apply. Give all of them.",
        changes=FIRST_REASON,
        variants=(((SLOWER, 'reasons[name] = broken[-1:] or ["slower"]'),),),
    ),
    Mistake(
        name="slower-forgotten",
        misconception="Who is out for nothing has no reason.",
        message='A policy that keeps to all limits and is not the choice has the reason "slower".',
        changes=(
            (SLOWER, "reasons[name] = broken"),
            (FITTING, '[p for p in policies if not reasons[p["name"]]]'),
        ),
    ),
    Mistake(
        name="slower-for-all",
        misconception="Each other policy is slower.",
        message='You give the reason "slower" to policies that are out for another. It is for those '
        "that are out for nothing.",
        changes=((SLOWER, 'reasons[name] = broken + ["slower"]'),),
        variants=(
            (
                (
                    RETURN,
                    'return choice["name"], {name: [*set(why) | {"slower"}] '
                    "for name, why in reasons.items()}",
                ),
            ),
            ((RETURN, IF_SLOWER.format(than=">")),),
            ((RETURN, IF_SLOWER.format(than=">=")),),
        ),
    ),
    Mistake(
        name="choice-among-the-reasons",
        misconception="Each policy has an entry.",
        message="The choice is among the reasons. Only the others have reasons.",
        changes=((DELETE, ""),),
        variants=(((DELETE, '    reasons[choice["name"]] = []\n'),),),
    ),
    Mistake(
        name="only-those-that-are-out",
        misconception="Reasons are for those that are out.",
        message="Policies that are slower are missing among the reasons.",
        changes=(
            (
                RETURN,
                'return choice["name"], {n: why for n, why in reasons.items() if why != ["slower"]}',
            ),
        ),
    ),
    Mistake(
        name="record-for-name",
        misconception="The record is the choice.",
        message="You return the record of the choice. Return its name.",
        changes=((RETURN, "return choice, reasons"),),
    ),
    Mistake(
        name="choice-alone",
        misconception="The choice is the answer.",
        message="You return the choice alone. Return (choice, reasons).",
        changes=((RETURN, 'return choice["name"]'), (NOTHING, "return None")),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of the results does not matter.",
        message="Choice and reasons are swapped: return (choice, reasons).",
        changes=((RETURN, 'return reasons, choice["name"]'), (NOTHING, "return reasons, None")),
    ),
    Mistake(
        name="changes-its-input",
        misconception="A list that is handed in may be sorted.",
        message="Your answer changes the records, which must be the same after the call.",
        changes=(
            (OF_64, OF_64 + '\n    policies.sort(key=lambda p: p["macro_f1"], reverse=True)'),
        ),
        variants=(
            (
                (
                    "broken = of_64.get(name), []",
                    'broken = of_64.get(name), policy.setdefault("why", [])',
                ),
            ),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="with a set of reasons, and sorting",
        code="""
def choose_policy(policies, timings, per_second, max_p99_ms, max_loss):
    arrival = 1000 / per_second
    times = {(t["name"], t["batch_size"]): (t["p50_ms"], t["p99_ms"]) for t in timings}
    reasons = {}
    for p in policies:
        p50, p99 = times.get((p["name"], 64), (0, None))
        reasons[p["name"]] = {
            reason
            for reason, applies in (
                ("quality", p["to_full"] and min(p["to_full"]) + max_loss < 0),
                ("not earned", p["to_equal"] and not min(p["to_equal"]) > 0),
                ("not timed", p99 is None),
                ("throughput", p99 is not None and p50 > arrival * 64),
                ("latency", p99 is not None and p99 > max_p99_ms - arrival * 64),
            )
            if applies
        }
    kept = sorted(
        (times[p["name"], 64][0], -p["macro_f1"], p["name"]) for p in policies if not reasons[p["name"]]
    )
    for _, _, name in kept:
        reasons[name] = {"slower"}
    if kept:
        reasons.pop(kept[0][2])
    return (kept[0][2] if kept else None), reasons
""",
    ),
]
