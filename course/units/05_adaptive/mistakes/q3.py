"""Question 3, a batch that halts word by word: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

IS_WORD = "np.arange(states.shape[1]) < words[:, None]"
EMPTY = "        if len(active) == 0:\n            break\n"
CALL = "        now, probability = step(now)\n"
HALTS = "(before + probability >= 1 - epsilon) | (n == max_steps)"
WEIGHT = "np.where(halts, 1 - before, probability)"
ADD = "results[comment, word] += weight[:, None] * now"
STEPS = "steps[comment, word] = n"
SUM = "before = before + probability"
COMPACT = "active, now, before = active[~halts], now[~halts], before[~halts]"
LOOP = "range(1, max_steps + 1)"
SLOWEST = "~np.isin(active[:, 0], active[before + probability < 1 - epsilon, 0]) | (n == max_steps)"
RETURN = "return results, steps"

# A loop that computes more than it has to: {rows} are the numbers of the rows for which step is
# called, {stop} ends the loop.
WASTEFUL = """
def ponder(step, states, words, max_steps, epsilon=0.01):
    comments, longest, dim = states.shape
    is_word = (np.arange(longest) < words[:, None]).ravel()
    now = np.nan_to_num(states.reshape(-1, dim).astype(float))
    results, steps = np.zeros(now.shape), np.zeros(len(now), dtype=int)
    before, running = np.zeros(len(now)), is_word.copy()
    for n in range(1, max_steps + 1):
        if {stop}:
            break
        rows = {rows}
        new, p = step(now[rows])
        now[rows] = new
        probability = np.zeros(len(now))
        probability[rows] = p
        halts = (before + probability >= 1 - epsilon) | (n == max_steps)
        weight = np.where(halts, 1 - before, probability) * running
        results += weight[:, None] * now
        steps[running] = n
        before += probability
        running &= ~halts
    return results.reshape(states.shape), steps.reshape(comments, longest)
"""


def wasteful(rows: str, stop: str = "not running.any()") -> str:
    return WASTEFUL.format(rows=rows, stop=stop)


PADDING_TOO = """
def ponder(step, states, words, max_steps, epsilon=0.01):
    comments, longest, dim = states.shape
    is_word = np.arange(longest) < words[:, None]
    if {nothing}:
        return np.zeros(states.shape), np.zeros((comments, longest), dtype=int)
    now = np.nan_to_num(states.astype(float)).reshape(-1, dim)
    active, before = np.arange(len(now)), np.zeros(len(now))
    results, steps = np.zeros(now.shape), np.zeros(len(now), dtype=int)
    for n in range(1, max_steps + 1):
        now, probability = step(now)
        halts = (before + probability >= 1 - epsilon) | (n == max_steps)
        results[active] += np.where(halts, 1 - before, probability)[:, None] * now
        steps[active] = n
        before = before + probability
        active, now, before = active[~halts], now[~halts], before[~halts]
        if len(active) == 0:
            break
    results, steps = results.reshape(states.shape), steps.reshape(comments, longest)
    return results * is_word[..., None], steps * is_word
"""
SMALL_ROWS = """
def ponder(step, states, words, max_steps, epsilon=0.01):
    is_word = np.arange(states.shape[1]) < words[:, None]
    now = states[is_word]
    result, taken, total = np.zeros(now.shape), np.zeros(len(now), dtype=int), np.zeros(len(now))
    active = np.arange(len(now))
    for n in range(1, max_steps + 1):
        if len(active) == 0:
            break
        now, probability = step(now)
        halts = (total[active] + probability >= 1 - epsilon) | (n == max_steps)
        result[active] += np.where(halts, 1 - total[active], probability)[:, None] * now
        total[active] += probability
        taken[active] = n
        active, now = np.flatnonzero(~halts), now[~halts]
    results, steps = np.zeros(states.shape), np.zeros(is_word.shape, dtype=int)
    results[is_word], steps[is_word] = result, taken
    return results, steps
"""


def halts(code: str) -> tuple:
    return ((HALTS, code),)


def weight(code: str) -> tuple:
    return ((WEIGHT, code),)


def is_word(code: str) -> tuple:
    return ((IS_WORD, code),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.adaptive.ponder",
        code="""
import torch

from utils.adaptive import ponder as of_library


def ponder(step, states, words, max_steps, epsilon=0.01):
    found = []

    def of_active(state, active, n):
        new, p = step(state[active].numpy())
        found.append(torch.tensor(p))
        return torch.tensor(new)

    flat = torch.tensor(np.nan_to_num(states)).flatten(0, 1)
    active = np.flatnonzero(np.arange(states.shape[1]) < words[:, None])
    result = of_library(
        of_active, lambda new: found[-1], flat, torch.tensor(active), max_steps, epsilon
    )
    return result.state.numpy().reshape(states.shape), result.steps.numpy().reshape(states.shape[:2])
""",
    ),
    # ---------------------------------------------------------------------------- what is computed
    Mistake(
        name="halted-words-computed",
        misconception="Multiplying by 0 what a word goes on to compute is as good as leaving it out.",
        message="Your results are right, but `step` still gets the words that have halted. Gather "
        "those that go on before each call.",
        code=wasteful("np.flatnonzero(is_word)"),
    ),
    Mistake(
        name="halted-words-and-padding-computed",
        misconception="A batch is computed as the rectangle it is.",
        message="Your results are right, but `step` gets every position each time, padding and words "
        "that have halted among them. Gather the words that go on.",
        code=wasteful("np.arange(len(now))"),
    ),
    Mistake(
        name="padding-computed",
        misconception="Padding halts at the first step.",
        message="`step` gets padding, too. Choose the words before the first call.",
        code=wasteful("np.flatnonzero(running | (~is_word & (n == 1)))"),
        variants=(
            wasteful("np.flatnonzero(running | ~is_word)"),
            PADDING_TOO.format(nothing="False"),
            PADDING_TOO.format(nothing="not is_word.any()"),
        ),
    ),
    Mistake(
        name="whole-comments-computed",
        misconception="A comment goes on while one of its words does.",
        message="Your results are right, but `step` gets all words of a comment in which one goes on. "
        "Words halt one by one, and only those that go on are computed.",
        code=wasteful(
            "np.flatnonzero(is_word & np.repeat(running.reshape(comments, longest).any(axis=1), "
            "longest))"
        ),
    ),
    Mistake(
        name="rows-of-the-small-array",
        misconception="A word's row in the gathered array is its number in the batch.",
        message="After the first step you take a word's row in the smaller array for its place in the "
        "batch, so sums or results go to other words. Gather the places along with the states.",
        code=SMALL_ROWS,
        variants=(
            (
                (
                    COMPACT,
                    COMPACT.replace(
                        "active[~halts]", "np.argwhere(is_word)[np.flatnonzero(~halts)]"
                    ),
                ),
            ),
        ),
    ),
    Mistake(
        name="comments-halt-as-a-whole",
        misconception="A comment halts when the last of its words does.",
        message="In your answer all words of a comment go on, and are weighed, until the slowest of "
        "them halts. Each word halts by itself.",
        changes=halts(SLOWEST),
        variants=(
            (*halts(SLOWEST), *weight("np.where(halts, np.maximum(1 - before, 0), probability)")),
            (
                *halts(SLOWEST),
                *weight(
                    "np.where(halts, np.maximum(1 - before, 0), "
                    "np.minimum(probability, np.maximum(1 - before, 0)))"
                ),
            ),
            (
                *halts(SLOWEST),
                *weight(
                    "np.where(halts | (before + probability >= 1 - epsilon), "
                    "np.maximum(1 - before, 0), probability)"
                ),
            ),
        ),
    ),
    Mistake(
        name="always-all-steps",
        misconception="The loop always runs to the end.",
        message="You call `step` when no word is left, with no rows. Stop the loop there.",
        changes=((EMPTY, ""),),
        variants=(wasteful("np.flatnonzero(running)", "False"),),
    ),
    Mistake(
        name="called-without-any-words",
        misconception="Every batch has words.",
        message="You call `step` although no comment has a word.",
        changes=((EMPTY, "        if n > 1 and len(active) == 0:\n            break\n"),),
    ),
    Mistake(
        name="all-rows-and-all-steps",
        misconception="A fixed network with weights is an adaptive one.",
        message="You compute all `max_steps` steps, of words that have halted as well. Only words that "
        "go on are computed, and the loop ends where none is left.",
        code=wasteful("np.flatnonzero(is_word)", "False"),
        variants=(wasteful("np.arange(len(now))", "False"),),
    ),
    Mistake(
        name="one-word-at-a-time",
        misconception="A word that halts by itself is computed by itself.",
        message="You call `step` for single words. Each step takes all words that go on in one call; "
        "that is what a batch is for.",
        code="""
def ponder(step, states, words, max_steps, epsilon=0.01):
    results = np.zeros(states.shape)
    steps = np.zeros(states.shape[:2], dtype=int)
    for c, count in enumerate(words):
        for w in range(count):
            now, before = states[c, w][None], 0.0
            for n in range(1, max_steps + 1):
                now, p = step(now)
                last = before + p[0] >= 1 - epsilon or n == max_steps
                results[c, w] += (1 - before if last else p[0]) * now[0]
                steps[c, w] = n
                before += p[0]
                if last:
                    break
    return results, steps
""",
    ),
    Mistake(
        name="one-comment-at-a-time",
        misconception="A batch is a loop over its comments.",
        message="You call `step` for one comment at a time. Each step takes the words of all comments "
        "that go on in one call; that is what a batch is for.",
        code="""
def ponder(step, states, words, max_steps, epsilon=0.01):
    results = np.zeros(states.shape)
    steps = np.zeros(states.shape[:2], dtype=int)
    for c, count in enumerate(words):
        active, now, before = np.arange(count), states[c, :count], np.zeros(count)
        for n in range(1, max_steps + 1):
            if not len(active):
                break
            now, p = step(now)
            halts = (before + p >= 1 - epsilon) | (n == max_steps)
            results[c, active] += np.where(halts, 1 - before, p)[:, None] * now
            steps[c, active] = n
            active, now, before = active[~halts], now[~halts], (before + p)[~halts]
    return results, steps
""",
    ),
    # ---------------------------------------------------------------------------- padding and words
    Mistake(
        name="padding-taken-for-words",
        misconception="All positions are words.",
        message="You treat padding as words: it has results and steps in your answer. Both are 0 there.",
        changes=is_word(f"({IS_WORD}) | True"),
    ),
    Mistake(
        name="one-word-too-few",
        misconception="Words are counted from 1.",
        message="You leave out the last word of each comment: k words have the numbers 0 to k - 1.",
        changes=is_word("np.arange(1, states.shape[1] + 1) < words[:, None]"),
    ),
    Mistake(
        name="one-word-too-many",
        misconception="A comment of k words has the words 0 to k.",
        message="You take a position of padding for a word: k words have the numbers 0 to k - 1.",
        changes=is_word("np.arange(states.shape[1]) <= words[:, None]"),
    ),
    Mistake(
        name="padding-in-front",
        misconception="Comments are padded in front.",
        message="You take the first positions for padding. Comments are padded at the end.",
        changes=is_word("np.arange(states.shape[1]) >= states.shape[1] - words[:, None]"),
    ),
    Mistake(
        name="all-comments-as-short-as-the-shortest",
        misconception="A batch is cut to its shortest comment.",
        message="You look at as many words of each comment as the shortest has. Each has its own.",
        changes=is_word("np.arange(states.shape[1]) < np.full_like(words, words.min())[:, None]"),
    ),
    Mistake(
        name="padding-found-by-nan",
        misconception="Padding is NaN.",
        message="You take for words what is not NaN. Padding may hold anything: `words` says how many "
        "words a comment has.",
        changes=is_word("~np.isnan(states).any(axis=2)"),
    ),
    Mistake(
        name="steps-at-padding",
        misconception="Every position takes at least one step.",
        message="Your steps are not 0 at padding.",
        changes=(("np.zeros(is_word.shape, dtype=int)", "np.ones(is_word.shape, dtype=int)"),),
        variants=(((RETURN, "return results, np.where(is_word, steps, max_steps)"),),),
    ),
    Mistake(
        name="states-at-padding",
        misconception="What is not computed stays as it is.",
        message="Your results at padding are what stood there before. They are 0.",
        changes=((RETURN, "return np.where(is_word[..., None], results, states), steps"),),
    ),
    Mistake(
        name="mask-by-multiplication",
        misconception="NaN times 0 is 0.",
        message="Your results at padding are NaN where NaN stood there: NaN times 0 is NaN.",
        changes=((RETURN, "return results + 0 * states, steps"),),
        variants=(((RETURN, "return np.where(is_word[..., None], results, 0 * states), steps"),),),
    ),
    # -------------------------------------------------------------------------------- the weights
    Mistake(
        name="last-step-weighs-its-probability",
        misconception="Every step weighs its probability.",
        message="Your last step weighs its probability. It weighs what is left of 1.",
        changes=weight("probability"),
    ),
    Mistake(
        name="forced-step-weighs-its-probability",
        misconception="The remainder is for words that halt by themselves.",
        message="Where a word is forced to halt, your last step weighs its probability. It weighs what "
        "is left of 1 there, too.",
        changes=weight("np.where(before + probability >= 1 - epsilon, 1 - before, probability)"),
        variants=(halts("before + probability >= 1 - epsilon"),),
    ),
    Mistake(
        name="remainder-after-the-last-step",
        misconception="The remainder is what is left after the last step.",
        message="Your last step weighs what is left after it. It weighs what the steps before it left.",
        changes=weight("np.where(halts, 1 - (before + probability), probability)"),
        variants=(weight("np.where(halts, np.maximum(0, 1 - before - probability), probability)"),),
    ),
    Mistake(
        name="remainder-up-to-1-minus-epsilon",
        misconception="The weights sum to the bound at which a word halts.",
        message="Your weights sum to 1 - epsilon. They sum to 1.",
        changes=weight("np.where(halts, 1 - epsilon - before, probability)"),
    ),
    Mistake(
        name="last-state-alone",
        misconception="The result is the state of the last step.",
        message="Your result is the state after the last step. It is the weighted sum of the states "
        "after all of a word's steps.",
        changes=((ADD, "results[comment, word] = now"),),
        variants=(((ADD, "results[comment, word] = np.where(halts[:, None], now, 0)"),),),
    ),
    Mistake(
        name="last-state-times-its-weight",
        misconception="Each step's weighted state replaces the one before.",
        message="Only the last step's weighted state is left in your result: add the steps up.",
        changes=((ADD, "results[comment, word] = weight[:, None] * now"),),
    ),
    Mistake(
        name="all-steps-weigh-the-same",
        misconception="The states of all steps are averaged.",
        message="You average the states of all steps. Each weighs its probability, and the last what "
        "is left.",
        changes=(
            (ADD, "results[comment, word] += now"),
            (RETURN, "return results / np.maximum(steps, 1)[..., None], steps"),
        ),
    ),
    Mistake(
        name="states-added-up",
        misconception="The result is the sum of the states.",
        message="You add the states up without weights. Each weighs its probability, and the last what "
        "is left.",
        changes=((ADD, "results[comment, word] += now"),),
        variants=(weight("np.ones(len(now))"),),
    ),
    Mistake(
        name="states-before-the-steps",
        misconception="A probability belongs to the state that went in.",
        message="You weigh the states before each step. The weights are of the states after it.",
        changes=(
            (CALL, "        old = now\n" + CALL),
            (ADD, "results[comment, word] += weight[:, None] * old"),
        ),
    ),
    Mistake(
        name="running-interpolation",
        misconception="New times weight plus old times 1 - weight is a weighted sum.",
        message="You mix each new state with the result so far, as new * w + old * (1 - w), which "
        "shrinks the weights of earlier steps. Add weight times state.",
        changes=(
            (
                ADD,
                "results[comment, word] = weight[:, None] * now "
                "+ (1 - weight[:, None]) * results[comment, word]",
            ),
        ),
    ),
    Mistake(
        name="parentheses-of-a-known-implementation",
        misconception="old * 1 - w is old * (1 - w).",
        message="You compute new * w + (old * 1 - w): a well-known implementation has its parentheses "
        "there, too. Add weight times state.",
        changes=(
            (
                ADD,
                "results[comment, word] = weight[:, None] * now "
                "+ (results[comment, word] * 1 - weight[:, None])",
            ),
        ),
    ),
    Mistake(
        name="probabilities-of-arriving",
        misconception="A step's weight is the probability to arrive at it and halt there.",
        message="You weigh a step by the probability to arrive at it and halt there, as PonderNet does. "
        "Here it weighs its own probability.",
        changes=(
            (SUM, "before = before + (1 - before) * probability"),
            (WEIGHT, "np.where(halts, 1 - before, (1 - before) * probability)"),
            (HALTS, "(before + (1 - before) * probability >= 1 - epsilon) | (n == max_steps)"),
        ),
    ),
    Mistake(
        name="next-step-takes-the-weighted-state",
        misconception="The weighted state goes into the next step.",
        message="Your next step takes weighted states. It takes what the step before returned.",
        changes=((SUM, SUM + "\n        now = results[comment, word]"),),
        variants=(((SUM, SUM + "\n        now = weight[:, None] * now"),),),
    ),
    Mistake(
        name="every-step-from-the-start",
        misconception="Each step looks at the given states.",
        message="Each of your steps takes the given states. A later step takes what the step before "
        "returned.",
        changes=((CALL, "        now, probability = step(states[active[:, 0], active[:, 1]])\n"),),
    ),
    # -------------------------------------------------------------------------------- halting
    Mistake(
        name="strictly-above",
        misconception="To reach a bound is to exceed it.",
        message="A word whose sum is just 1 - epsilon goes on in your answer. It has reached the bound.",
        changes=halts("(before + probability > 1 - epsilon) | (n == max_steps)"),
    ),
    Mistake(
        name="epsilon-ignored",
        misconception="A word halts when its probabilities sum to 1.",
        message="Your words halt only when their sum reaches 1. They halt at 1 - epsilon.",
        changes=halts("(before + probability >= 1) | (n == max_steps)"),
    ),
    Mistake(
        name="epsilon-hard-coded",
        misconception="Epsilon is 0.01.",
        message="You halt at 0.99 whatever `epsilon` is. Use the parameter.",
        changes=halts("(before + probability >= 0.99) | (n == max_steps)"),
    ),
    Mistake(
        name="single-probability-decides",
        misconception="A word halts when its unit is sure.",
        message="You compare a single probability with 1 - epsilon. It is their sum that reaches it.",
        changes=halts("(probability >= 1 - epsilon) | (n == max_steps)"),
    ),
    Mistake(
        name="more-likely-than-not",
        misconception="A word halts when halting is more likely than going on.",
        message="You halt at the first probability of one half or more. It is the sum of them that "
        "decides.",
        changes=halts("(probability >= 0.5) | (n == max_steps)"),
    ),
    Mistake(
        name="halts-after-reaching",
        misconception="The sum is looked at before a step.",
        message="Your words halt one step too late. The step at which the sum reaches the bound is the "
        "last one.",
        changes=halts("(before >= 1 - epsilon) | (n == max_steps)"),
    ),
    Mistake(
        name="one-step-too-many",
        misconception="max_steps steps may be followed by a forced one.",
        message="Your words take up to one step more than `max_steps`.",
        changes=(
            (LOOP, "range(1, max_steps + 2)"),
            (HALTS, "(before + probability >= 1 - epsilon) | (n == max_steps + 1)"),
        ),
    ),
    Mistake(
        name="one-step-too-few",
        misconception="The range to max_steps contains it.",
        message="Your loop ends one step before `max_steps`.",
        changes=((LOOP, "range(1, max_steps)"),),
        variants=(
            (
                (LOOP, "range(1, max_steps)"),
                (HALTS, "(before + probability >= 1 - epsilon) | (n == max_steps - 1)"),
            ),
        ),
    ),
    Mistake(
        name="all-wait-for-the-slowest",
        misconception="A batch halts when all its words are ready.",
        message="All words take as many steps as the one that needs most. Each halts by itself.",
        changes=halts(
            "np.full(len(now), (before + probability >= 1 - epsilon).all()) | (n == max_steps)"
        ),
    ),
    Mistake(
        name="first-halt-halts-all",
        misconception="Once a word halts, all do.",
        message="All words halt as soon as the first one does. Each halts by itself.",
        changes=halts(
            "np.full(len(now), (before + probability >= 1 - epsilon).any()) | (n == max_steps)"
        ),
    ),
    Mistake(
        name="sum-not-kept",
        misconception="A step's probability replaces the one before.",
        message="You keep the last probability in place of the sum of all of them.",
        changes=((SUM, "before = probability"),),
    ),
    Mistake(
        name="sums-mixed-up",
        misconception="The first sums are those of the words that go on.",
        message="The sums are no longer those of their words once some have halted: keep with each "
        "word its own.",
        changes=((COMPACT, COMPACT.replace("before[~halts]", "before[:(~halts).sum()]")),),
        variants=(
            ((COMPACT, COMPACT.replace("before[~halts]", "np.sort(before)[:(~halts).sum()]")),),
        ),
    ),
    Mistake(
        name="states-mixed-up",
        misconception="The first rows are the words that go on.",
        message="States and words are mixed up once some words have halted: of both keep the rows of "
        "those that go on.",
        changes=((COMPACT, COMPACT.replace("active[~halts]", "active[:(~halts).sum()]")),),
        variants=(((COMPACT, COMPACT.replace("now[~halts]", "now[:(~halts).sum()]")),),),
    ),
    Mistake(
        name="keeps-those-that-halt",
        misconception="The mask of those that halt says which to keep.",
        message="You go on with the words that have halted, and drop the others.",
        changes=((COMPACT, COMPACT.replace("~", "")),),
    ),
    # -------------------------------------------------------------------------- what is returned
    Mistake(
        name="steps-counted-from-0",
        misconception="The first step has number 0.",
        message="Your steps are one too few: the first is step 1.",
        changes=((STEPS, "steps[comment, word] = n - 1"),),
    ),
    Mistake(
        name="steps-of-the-comment",
        misconception="A comment has one number of steps.",
        message="You return steps for each comment. Each word has its own.",
        changes=((RETURN, "return results, steps.max(axis=1)"),),
        variants=(((RETURN, "return results, steps.sum(axis=1)"),),),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of the results does not matter.",
        message="Results and steps are swapped: return (results, steps).",
        changes=((RETURN, "return steps, results"),),
    ),
    Mistake(
        name="words-in-a-row",
        misconception="Words in a row are as good as the batch.",
        message="Your results are one row for each word, or position. They have the shape of `states`.",
        changes=((RETURN, "return results[is_word], steps[is_word]"),),
        variants=(
            ((RETURN, "return results.reshape(-1, states.shape[2]), steps.reshape(-1)"),),
            ((RETURN, "return results[is_word], steps"),),
        ),
    ),
    Mistake(
        name="changes-its-input",
        misconception="An array that is handed in may be written to.",
        message="Your answer changes `states`, which must be the same after the call as before.",
        changes=((STEPS, STEPS + "\n        states[comment, word] = now"),),
        variants=(((RETURN, "states[...] = results\n    return states, steps"),),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="over flat rows, the remainder counted down",
        code="""
def ponder(step, states, words, max_steps, epsilon=0.01):
    comments, longest, dim = states.shape
    rows = [c * longest + w for c in range(comments) for w in range(words[c])]
    now = {row: states.reshape(-1, dim)[row] for row in rows}
    left = dict.fromkeys(rows, 1.0)
    results, steps = np.zeros((comments * longest, dim)), [0] * (comments * longest)
    n = 0
    while rows:
        n += 1
        new, probabilities = step(np.array([now[row] for row in rows]))
        for row, state, p in zip(list(rows), new, probabilities):
            now[row], steps[row] = state, n
            if n == max_steps or left[row] - p <= epsilon:
                p = left[row]
                rows.remove(row)
            results[row] += p * state
            left[row] -= p
    return results.reshape(states.shape), np.reshape(steps, (comments, longest))
""",
    ),
    Alternative(
        name="with running masks, and the words in reverse order",
        code="""
def ponder(step, states, words, max_steps, epsilon=0.01):
    flat = states.reshape(-1, states.shape[-1]).copy()
    running = (np.arange(states.shape[1]) < np.asarray(words)[:, None]).ravel()
    total, steps = np.zeros(len(flat)), np.zeros(len(flat), dtype=int)
    results = np.zeros_like(flat)
    for n in range(max_steps):
        rows = np.flatnonzero(running)[::-1]
        if rows.size:
            flat[rows], p = step(flat[rows])
            last = (total[rows] + p >= 1 - epsilon) | (n + 1 == max_steps)
            results[rows] += np.where(last, 1 - total[rows], p)[:, None] * flat[rows]
            total[rows] += p
            steps[rows] += 1
            running[rows[last]] = False
    return results.reshape(states.shape), steps.reshape(states.shape[:2])
""",
    ),
]
