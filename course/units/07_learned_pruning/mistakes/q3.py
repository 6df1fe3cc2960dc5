"""Question 3, variational dropout: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

LOG_ALPHA = "log_sigma2 - 2 * np.log(np.abs(theta))"
SIGMOID = "np.exp(-np.logaddexp(0, -(K2 + K3 * log_alpha)))"
KL = "K1 - K1 * sigmoid + 0.5 * np.logaddexp(0, -log_alpha)"
LOSS = "nll.mean() + kl.sum() / comments"
LEVEL = "log_sigma2 - np.log(theta**2)"
KEPT = "noise_level < threshold"
VARIANCE = "x**2 @ np.exp(log_sigma2)"
OUT = "x @ theta + np.sqrt(variance) * noise"


def log_alpha(code: str) -> tuple:
    return ((LOG_ALPHA, code),)


def kl(code: str) -> tuple:
    return ((KL, code),)


def loss(code: str) -> tuple:
    return ((LOSS, code),)


def level(code: str) -> tuple:
    return ((LEVEL, code),)


def kept(code: str) -> tuple:
    return ((KEPT, code),)


def variance(code: str) -> tuple:
    return ((VARIANCE, code),)


def out(code: str) -> tuple:
    return ((OUT, code),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.pruning.log_alpha and utils.pruning.kl_divergence",
        code="""
import torch

from utils.pruning import kl_divergence, log_alpha


def variational_loss(nll, theta, log_sigma2, comments):
    noise = log_alpha(torch.tensor(theta), torch.tensor(log_sigma2))
    return nll.mean() + kl_divergence(noise).sum().item() / comments


def kept_weights(theta, log_sigma2, threshold=3.0):
    return (log_alpha(torch.tensor(theta), torch.tensor(log_sigma2)) < threshold).numpy()


def noisy_outputs(x, theta, log_sigma2, noise):
    return x @ theta + np.sqrt(x**2 @ np.exp(log_sigma2)) * noise
""",
    ),
    # ------------------------------------------------------------------------------ the loss
    Mistake(
        name="penalty-rewards",
        misconception="The formula is the penalty.",
        message="You add minus KL to the loss, which then rewards it. The formula has a minus before KL.",
        changes=loss("nll.mean() - kl.sum() / comments"),
    ),
    Mistake(
        name="bound-not-turned-round",
        misconception="The lower bound is the loss.",
        message="You return the lower bound itself, which training maximises. Asked is its negative.",
        changes=loss("-nll.mean() - kl.sum() / comments"),
    ),
    Mistake(
        name="penalty-per-batch",
        misconception="Each batch pays the KL.",
        message="You add the KL of all weights to the mean of a batch. The whole training set pays it "
        "once, so a comment pays its share of that.",
        changes=loss("nll.mean() + kl.sum()"),
    ),
    Mistake(
        name="penalty-shared-by-the-batch",
        misconception="The comments of a batch share the KL.",
        message="You divide the KL by the comments of the batch. The whole training set pays it once.",
        changes=loss("nll.mean() + kl.sum() / len(nll)"),
    ),
    Mistake(
        name="penalty-in-the-mean-over-weights",
        misconception="Losses are means.",
        message="You take the mean of the KL over weights. Each weight pays its own: it is a sum.",
        changes=loss("nll.mean() + kl.mean() / comments"),
        variants=(loss("nll.mean() + kl.mean()"),),
    ),
    Mistake(
        name="likelihood-summed",
        misconception="The log-likelihood of a batch is a sum.",
        message="You add up the batch. Its mean stands for that of all comments.",
        changes=loss("nll.sum() + kl.sum() / comments"),
        variants=(loss("nll.sum() / comments + kl.sum() / comments"),),
    ),
    Mistake(
        name="for-the-whole-training-set",
        misconception="The bound is that of the training set.",
        message="You return the loss of the whole training set. Asked is that per comment.",
        changes=loss("nll.mean() * comments + kl.sum()"),
    ),
    Mistake(
        name="for-the-batch-and-the-whole-penalty",
        misconception="The batch is the training set.",
        message="You add up the batch, and the KL of all weights to it. The mean of a batch stands for "
        "that of all comments, each of which pays its share of the KL.",
        changes=loss("nll.sum() + kl.sum()"),
    ),
    Mistake(
        name="constant-left-out",
        misconception="A constant makes no difference.",
        message="Your KL lacks the constant k1: it is not 0 where alpha is infinite.",
        changes=kl("-K1 * sigmoid + 0.5 * np.logaddexp(0, -log_alpha)"),
    ),
    Mistake(
        name="constant-of-the-wrong-sign",
        misconception="The constant is subtracted from KL, too.",
        message="In your KL the constant k1 has the sign that it has in minus KL.",
        changes=kl("-K1 - K1 * sigmoid + 0.5 * np.logaddexp(0, -log_alpha)"),
    ),
    Mistake(
        name="logarithm-of-the-wrong-sign",
        misconception="Only the first term changes its sign.",
        message="In your KL the term with the logarithm has the sign that it has in minus KL.",
        changes=kl("K1 - K1 * sigmoid - 0.5 * np.logaddexp(0, -log_alpha)"),
    ),
    Mistake(
        name="sigmoid-of-the-wrong-sign",
        misconception="The sigmoid's term is added.",
        message="In your KL the term with the sigmoid has the sign that it has in minus KL.",
        changes=kl("K1 + K1 * sigmoid + 0.5 * np.logaddexp(0, -log_alpha)"),
        variants=(kl("-K1 + K1 * sigmoid + 0.5 * np.logaddexp(0, -log_alpha)"),),
    ),
    Mistake(
        name="logarithm-without-its-half",
        misconception="The half is part of the approximation.",
        message="In your KL the logarithm counts in full. It counts half.",
        changes=kl("K1 - K1 * sigmoid + np.logaddexp(0, -log_alpha)"),
    ),
    Mistake(
        name="alpha-not-inverted",
        misconception="The term is ln(1 + alpha).",
        message="In your KL the logarithm is that of 1 + alpha. The formula has the inverse of alpha "
        "there.",
        changes=kl("K1 - K1 * sigmoid + 0.5 * np.logaddexp(0, log_alpha)"),
    ),
    Mistake(
        name="alpha-in-the-sigmoid",
        misconception="The sigmoid takes alpha.",
        message="In your KL the sigmoid takes alpha. It takes ln alpha.",
        changes=((SIGMOID, "np.exp(-np.logaddexp(0, -(K2 + K3 * np.exp(log_alpha))))"),),
    ),
    Mistake(
        name="constants-swapped",
        misconception="The constants stand in the order of the terms.",
        message="In your sigmoid k2 and k3 are swapped.",
        changes=((SIGMOID, "np.exp(-np.logaddexp(0, -(K3 + K2 * log_alpha)))"),),
        variants=(((SIGMOID, "np.exp(-np.logaddexp(0, -K3 * (K2 + log_alpha)))"),),),
    ),
    Mistake(
        name="overflows",
        misconception="The formula can be computed as it stands.",
        message="Where sigma squared is tiny, your loss is infinite or NaN: 1 / alpha overflows. The "
        "logarithm of 1 + exp(x) can be had without exp(x).",
        changes=kl("K1 - K1 * sigmoid + 0.5 * np.log1p(np.exp(-log_alpha))"),
        variants=(
            kl("K1 - K1 * sigmoid + 0.5 * np.log(1 + 1 / np.exp(log_alpha))"),
            kl("K1 - K1 * sigmoid + 0.5 * np.log1p(theta**2 / np.exp(log_sigma2))"),
        ),
    ),
    Mistake(
        name="weights-of-0-left-out",
        misconception="What is not finite is an accident.",
        message="Your loss is not finite where a weight's theta is 0, or treats that as another alpha. "
        "There alpha is infinite, and KL is 0.",
        changes=log_alpha("np.nan_to_num(log_sigma2 - 2 * np.log(np.abs(theta)), posinf=0.0)"),
        variants=(
            kl("K1 - K1 * sigmoid + 0.5 * (0 * log_alpha + np.logaddexp(0, -log_alpha))"),
            log_alpha("log_sigma2 - 2 * np.log(np.where(theta == 0, 1, np.abs(theta)))"),
        ),
    ),
    Mistake(
        name="alpha-by-theta",
        misconception="Alpha is the variance divided by the weight.",
        message="In your loss alpha is the variance divided by theta, not by its square.",
        changes=log_alpha("log_sigma2 - np.log(np.abs(theta))"),
    ),
    Mistake(
        name="alpha-by-sigma",
        misconception="The layer stores ln sigma.",
        message="In your loss log_sigma2 is taken for ln sigma, and doubled.",
        changes=log_alpha("2 * log_sigma2 - 2 * np.log(np.abs(theta))"),
    ),
    Mistake(
        name="half-of-ln-alpha",
        misconception="The noise is sigma divided by the weight.",
        message="In your loss ln alpha is halved: sigma over theta, where both are squared.",
        changes=log_alpha("log_sigma2 / 2 - np.log(np.abs(theta))"),
    ),
    Mistake(
        name="alpha-upside-down",
        misconception="Alpha is signal to noise.",
        message="In your loss alpha is upside down. It is the noise, relative to the weight.",
        changes=log_alpha("2 * np.log(np.abs(theta)) - log_sigma2"),
    ),
    Mistake(
        name="alpha-without-theta",
        misconception="Alpha is the variance.",
        message="In your loss alpha is the variance. It is the variance relative to theta squared.",
        changes=log_alpha("log_sigma2 + 0 * theta"),
    ),
    Mistake(
        name="alpha-limited",
        misconception="Alpha is at most 1, or near it.",
        message="In your loss ln alpha is limited. The question sets no limit.",
        changes=log_alpha("np.clip(log_sigma2 - 2 * np.log(np.abs(theta)), -8, 8)"),
        variants=(
            log_alpha("np.minimum(log_sigma2 - 2 * np.log(np.abs(theta)), 0)"),
            log_alpha("np.clip(log_sigma2 - 2 * np.log(np.abs(theta)), -10, 10)"),
        ),
    ),
    # ------------------------------------------------------------------------------ the mask
    Mistake(
        name="keeps-the-noisy",
        misconception="A large alpha marks what matters.",
        message="Your mask is the other way round: a weight that bears much noise is not needed.",
        changes=kept("noise_level >= threshold"),
        variants=(kept("noise_level > threshold"),),
    ),
    Mistake(
        name="keeps-at-the-threshold",
        misconception="At the threshold a weight is kept.",
        message="Your mask keeps weights whose ln alpha is just the threshold. They go.",
        changes=kept("noise_level <= threshold"),
    ),
    Mistake(
        name="threshold-of-alpha",
        misconception="The threshold is one of alpha.",
        message="Your mask compares alpha with the threshold. It is one of ln alpha.",
        changes=kept("np.exp(noise_level) < threshold"),
    ),
    Mistake(
        name="threshold-of-log10",
        misconception="Logarithms have the base 10.",
        message="Your mask has a logarithm of another base. ln is the natural one.",
        changes=kept("noise_level / np.log(10) < threshold"),
        variants=(kept("noise_level / np.log(2) < threshold"),),
    ),
    Mistake(
        name="threshold-of-magnitude",
        misconception="Small weights go.",
        message="Your mask looks at theta, or at the variance, alone. What decides is the one relative "
        "to the other.",
        changes=kept("np.abs(theta) > threshold + 0 * noise_level"),
        variants=(kept("log_sigma2 < threshold"),),
    ),
    Mistake(
        name="threshold-of-another-alpha",
        misconception="Alpha is the variance divided by the weight.",
        message="Your mask has another alpha: it is sigma squared over theta squared.",
        changes=level("log_sigma2 - np.log(np.abs(theta))"),
        variants=(
            level("2 * log_sigma2 - np.log(theta**2)"),
            level("log_sigma2 / 2 - np.log(np.abs(theta))"),
            level("np.log(theta**2) - log_sigma2"),
        ),
    ),
    Mistake(
        name="threshold-fixed",
        misconception="The threshold is 3, as in the paper.",
        message="Your mask has a threshold of 3, whatever is given.",
        changes=kept("noise_level < 3"),
    ),
    Mistake(
        name="threshold-with-a-small-number",
        misconception="A small number before a logarithm changes nothing.",
        message="Your mask adds a small number to what it takes the logarithm of, and so keeps weights of "
        "0, or just at the threshold.",
        changes=level("log_sigma2 - np.log(theta**2 + 1e-8)"),
        variants=(level("log_sigma2 - 2 * np.log(np.abs(theta) + 1e-8)"),),
    ),
    Mistake(
        name="returns-masked-weights",
        misconception="The mask is the weights that are left.",
        message="You return the weights, with zeros where they go. Asked is which are kept.",
        changes=kept("theta * (noise_level < threshold)"),
    ),
    # ------------------------------------------------------------------------------ the noise
    Mistake(
        name="variance-for-the-deviation",
        misconception="Noise is multiplied by the variance.",
        message="You multiply the noise by the variance. It is multiplied by its root.",
        changes=out("x @ theta + variance * noise"),
    ),
    Mistake(
        name="deviations-added",
        misconception="Standard deviations of a sum add up.",
        message="You add up standard deviations, as if all weights of an output had the same noise. Of "
        "independent numbers the variances add up.",
        changes=out("x @ theta + np.abs(x) @ np.exp(log_sigma2 / 2) * noise + 0 * variance"),
        variants=(out("x @ theta + x @ np.exp(log_sigma2 / 2) * noise + 0 * variance"),),
    ),
    Mistake(
        name="input-not-squared",
        misconception="The variance grows with the input.",
        message="Your variance has the input as it is. A number times x has x squared times its variance.",
        changes=variance("np.abs(x) @ np.exp(log_sigma2)"),
        variants=(variance("x @ np.exp(log_sigma2)"),),
    ),
    Mistake(
        name="sigma-for-its-square",
        misconception="The layer stores ln sigma.",
        message="In your outputs log_sigma2 is taken for ln sigma, or its root for the variance.",
        changes=variance("x**2 @ np.exp(2 * log_sigma2)"),
        variants=(variance("x**2 @ np.exp(log_sigma2 / 2)"),),
    ),
    Mistake(
        name="not-exponentiated",
        misconception="log_sigma2 is the variance.",
        message="In your outputs log_sigma2 is taken for the variance itself.",
        changes=variance("x**2 @ log_sigma2"),
        variants=(variance("x**2 @ np.abs(log_sigma2)"),),
    ),
    Mistake(
        name="alpha-for-the-variance",
        misconception="Alpha is the variance of the noise.",
        message="In your outputs alpha is the variance of a weight. It is that relative to theta squared.",
        changes=variance("x**2 @ (np.exp(log_sigma2) / theta**2)"),
    ),
    Mistake(
        name="theta-counted-again",
        misconception="The noise multiplies the weight.",
        message="In your outputs sigma squared is multiplied by theta squared. That is done to alpha.",
        changes=variance("x**2 @ (np.exp(log_sigma2) * theta**2)"),
    ),
    Mistake(
        name="variance-of-the-output",
        misconception="Noise is relative to the output.",
        message="In your outputs the mean is squared as a whole for the variance. Each weight adds a "
        "variance of its own.",
        changes=variance("(x @ theta) ** 2 * np.exp(log_sigma2).mean(axis=0)"),
        variants=(variance("(x @ np.exp(log_sigma2 / 2)) ** 2"),),
    ),
    Mistake(
        name="no-noise",
        misconception="The mean is the output.",
        message="Your outputs have no noise.",
        changes=out("x @ theta + 0 * variance"),
    ),
    Mistake(
        name="no-mean",
        misconception="The outputs are noise.",
        message="Your outputs lack their mean.",
        changes=out("np.sqrt(variance) * noise"),
    ),
    Mistake(
        name="noisy-weights-left-out",
        misconception="What will go has gone already.",
        message="Your outputs leave out weights with a large alpha. In training all count.",
        changes=out(
            "x @ (theta * (log_sigma2 - np.log(theta**2) < 3)) + np.sqrt(variance) * noise"
        ),
        variants=(
            (
                (VARIANCE, "x**2 @ (np.exp(log_sigma2) * (log_sigma2 - np.log(theta**2) < 3))"),
                (
                    OUT,
                    "x @ (theta * (log_sigma2 - np.log(theta**2) < 3)) + np.sqrt(variance) * noise",
                ),
            ),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="by SciPy's functions, and a loop over outputs",
        code="""
from scipy.special import expit


def variational_loss(nll, theta, log_sigma2, comments):
    total = 0.0
    for mean, log_variance in zip(theta.ravel(), log_sigma2.ravel()):
        if mean == 0:
            continue
        log_alpha = log_variance - np.log(mean * mean)
        minus_kl = K1 * expit(K2 + K3 * log_alpha) - 0.5 * np.logaddexp(0, -log_alpha) - K1
        total -= minus_kl
    return (nll.sum() / len(nll) * comments + total) / comments


def kept_weights(theta, log_sigma2, threshold=3.0):
    return np.where(theta == 0, False, ~(log_sigma2 - 2 * np.log(abs(theta)) >= threshold))


def noisy_outputs(x, theta, log_sigma2, noise):
    out = np.zeros(noise.shape)
    for j in range(theta.shape[1]):
        variance = (x * x * np.exp(log_sigma2[:, j])).sum(axis=1)
        out[:, j] = (x * theta[:, j]).sum(axis=1) + noise[:, j] * variance**0.5
    return out
""",
    ),
]
