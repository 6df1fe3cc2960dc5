"""One ``fit`` for every torch network of the course.

Source: Loshchilov and Hutter (2019), AdamW, arXiv 1711.05101; Prechelt (1998), "Early stopping -
but when?", for the patience.

What people get wrong: the seed. A network draws its weights when it is made, so the seed is set
before; ``fit`` sets it again for batches and dropout, and brings no other weights.

>>> from utils.models import MeanVectorNetwork
>>> from utils.training import fit, set_seed
>>> ids, labels = np.array([[2, 3], [4, 0]] * 8), np.array([[1, 0], [0, 1]] * 8)
>>> set_seed(0)
>>> network = MeanVectorNetwork(5, dim=4, hidden=8, labels=2)
>>> history = fit(network, (ids, labels), (ids, labels), epochs=30, lr=0.1, progress=False)
>>> history.best_dev_macro_f1
1.0
"""

import pickle
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from tqdm.auto import tqdm

from utils.metrics import as_labels, as_probabilities, macro_f1, tune_thresholds
from utils.models import PAD, predict_logits

# What reading a file that torch.save did not write, or not to its end, raises.
DAMAGED = (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError)


@dataclass
class History:
    """What ``fit`` saw: one dict an epoch, and the best epoch's thresholds.

    Attributes
    ----------
    epochs : list of dict with ``epoch``, ``loss`` (mean over training) and ``dev_macro_f1``
    best_epoch : int, counted from 1; 0 before the first
    best_dev_macro_f1 : float, with the thresholds below
    thresholds : float array of shape (labels,), tuned on dev at the best epoch
    """

    epochs: list[dict] = field(default_factory=list)
    best_epoch: int = 0
    best_dev_macro_f1: float = -1.0
    thresholds: np.ndarray | None = None


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def length_sorted_batches(
    lengths: np.ndarray, batch_size: int, generator: np.random.Generator
) -> list[np.ndarray]:
    """Row numbers in batches of near-equal length, in random order; every row exactly once.

    Sorting by length keeps padding away; the small random shift keeps the batches from being the
    same in every epoch.
    """
    order = np.argsort(lengths + generator.uniform(0, 1, len(lengths)), kind="stable")
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [batches[i] for i in generator.permutation(len(batches))]


def fit(
    network: nn.Module,
    train: tuple[np.ndarray, np.ndarray],
    dev: tuple[np.ndarray, np.ndarray],
    *,
    seed: int = 0,
    epochs: int = 10,
    batch_size: int = 64,
    lr: float = 1e-3,
    embedding_lr: float | None = None,
    output_lr: float | None = None,
    weight_decay: float = 0.01,
    warmup: float = 0.0,
    decay: bool = False,
    patience: int = 3,
    keep_from: int = 1,
    clip: float = 1.0,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = binary_cross_entropy_with_logits,
    bf16: bool = False,
    checkpoint: Path | None = None,
    progress: bool = True,
) -> History:
    """Train a network with AdamW until dev macro-F1 stops rising; leave it with its best weights.

    Parameters
    ----------
    network : takes ids (batch, tokens), gives logits (batch, labels)
    train : ids (n, tokens) int64 padded with 0, and targets (n, k) float: 0/1 labels, or whatever
        ``loss(logits, targets)`` wants
    dev : ids (m, tokens) and 0/1 labels (m, labels)
    seed : of the order of batches and of dropout (not of the weights, which exist already)
    epochs, patience : at most so many; stop after so many without a better dev macro-F1
    keep_from : the first epoch whose weights may be kept, where earlier ones are of another model:
        one that is not sparse yet
    batch_size, lr, weight_decay, clip : AdamW's and the gradient norm's limit
    embedding_lr : learning rate of ``embedding.weight``; 0 freezes it, None means ``lr``
    output_lr : learning rate of the last layer, ``output``, which starts from nothing even where the
        rest is pretrained; 0 freezes it, None means ``lr``
    warmup : share of all steps in which the rate rises from 0
    decay : whether the rate then falls linearly to 0
    loss : of logits and targets, averaged over the batch
    bf16 : run the forward pass in bfloat16 autocast
    checkpoint : file written after every epoch; when it exists, training goes on from there, with
        the same data and options
    progress : show a progress bar

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If there is nothing to train on, rows do not match, no epoch is left to be kept, a target is
        not finite (or, for the default loss, not between 0 and 1), a dev label is not 0 or 1, or the
        checkpoint is damaged or of another run.
    FloatingPointError
        If the loss is no longer finite.

    Source: Loshchilov and Hutter (2019), AdamW, arXiv 1711.05101, algorithm 2.
    """
    (ids, targets), (dev_ids, dev_labels) = train, dev
    if len(ids) == 0 or len(ids) != len(targets) or len(dev_ids) != len(dev_labels):
        raise ValueError(
            f"fit needs as many targets as comments: train {len(ids)} and {len(targets)}, "
            f"dev {len(dev_ids)} and {len(dev_labels)}"
        )
    if not 1 <= keep_from <= max(epochs, 1):
        raise ValueError(f"of {epochs} epochs none is kept from the {keep_from}th on")
    targets = np.asarray(targets, dtype=np.float32)
    if not np.isfinite(targets).all():
        raise ValueError("fit needs finite targets, found NaN or infinity")
    if loss is binary_cross_entropy_with_logits:
        as_probabilities(targets, "targets")
    dev_labels = as_labels(dev_labels, "dev labels")
    # A rate that does not change with their number goes on after more epochs, too.
    scheduled = epochs if warmup or decay else None
    options = dict(
        seed=seed, epochs=scheduled, batch_size=batch_size, lr=lr, embedding_lr=embedding_lr,
        output_lr=output_lr, weight_decay=weight_decay, warmup=warmup, decay=decay, clip=clip,
        bf16=bf16, keep_from=keep_from,
        data=zlib.crc32(targets, zlib.crc32(np.ascontiguousarray(ids))),
    )  # fmt: skip
    set_seed(seed)
    device = next(network.parameters()).device
    ids, targets = torch.as_tensor(ids), torch.as_tensor(targets)
    lengths = (ids != PAD).sum(dim=1).clamp(min=1).numpy()
    optimizer = torch.optim.AdamW(
        _parameter_groups(network, lr, embedding_lr, output_lr, weight_decay), fused=True
    )
    steps = epochs * -(-len(ids) // batch_size)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _rate(step / steps, warmup, decay)
    )
    history, best, order = History(), _copy(network), np.random.default_rng(seed)
    if checkpoint is not None and Path(checkpoint).exists():
        history, best = _resume(Path(checkpoint), network, optimizer, scheduler, order, options)
    for epoch in range(len(history.epochs) + 1, epochs + 1):
        if epoch - 1 - max(history.best_epoch, keep_from - 1) >= patience:
            break
        network.train()
        losses = []
        batches = length_sorted_batches(lengths, batch_size, order)
        for rows in tqdm(batches, desc=f"epoch {epoch}", leave=False, disable=not progress):
            batch = ids[rows, : lengths[rows].max()].to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                logits = network(batch)
            value = loss(logits.float(), targets[rows].to(device))
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimizer.step()
            scheduler.step()
            losses.append(value.item())
        if not np.isfinite(losses).all():
            raise FloatingPointError(
                f"the loss is not finite in epoch {epoch}; try a smaller learning rate than {lr}"
            )
        probabilities = expit(predict_logits(network, dev_ids)[:, : dev_labels.shape[1]])
        thresholds = tune_thresholds(dev_labels, probabilities)
        score = macro_f1(dev_labels, probabilities >= thresholds)
        history.epochs.append(
            {"epoch": epoch, "loss": float(np.mean(losses)), "dev_macro_f1": score}
        )
        if epoch >= keep_from and score > history.best_dev_macro_f1:
            history.best_epoch, history.best_dev_macro_f1, history.thresholds = (
                epoch,
                score,
                thresholds,
            )
            best = _copy(network)
        if checkpoint is not None:
            _save(Path(checkpoint), network, best, optimizer, scheduler, order, history, options)
    network.load_state_dict(best)
    network.eval()
    return history


def _parameter_groups(network, lr, embedding_lr, output_lr, weight_decay) -> list[dict]:
    groups: dict[tuple, list] = {}
    for name, parameter in network.named_parameters():
        *_, layer, kind = ["", *name.split(".")]  # of a network, or of one among several
        embedding, rate = (layer, kind) == ("embedding", "weight"), None
        if embedding or layer == "output":
            rate = embedding_lr if embedding else output_lr
            parameter.requires_grad_(rate != 0)
        rate = lr if rate is None else rate
        # Weight decay is for matrices alone: a decayed embedding forgets the rare words.
        decay = weight_decay if parameter.ndim > 1 and not embedding else 0.0
        if rate > 0:
            groups.setdefault((rate, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def _rate(done: float, warmup: float, decay: bool) -> float:
    if done < warmup:
        return done / warmup
    return (1 - done) / (1 - warmup) if decay else 1.0


def _copy(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _save(path, network, best, optimizer, scheduler, order, history, options) -> None:
    state = {
        "options": options,
        "network": network.state_dict(),
        "best": best,
        "optimizer": optimizer.state_dict(),
        "scheduler": {"last_epoch": scheduler.last_epoch},
        "torch_rng": torch.get_rng_state(),
        "order_rng": order.bit_generator.state,
        "epochs": history.epochs,
        "best_epoch": history.best_epoch,
        "best_dev_macro_f1": history.best_dev_macro_f1,
        "thresholds": None if history.thresholds is None else torch.as_tensor(history.thresholds),
    }
    # Written beside and renamed, so that an interruption leaves the last whole checkpoint.
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, partial)
    partial.replace(path)


def _resume(path, network, optimizer, scheduler, order, options) -> tuple[History, dict]:
    try:
        # weights_only refuses anything but tensors and plain values: a checkpoint cannot run code.
        state = torch.load(path, weights_only=True)
        history = History(
            state["epochs"],
            state["best_epoch"],
            state["best_dev_macro_f1"],
            None if state["thresholds"] is None else state["thresholds"].numpy(),
        )
        other = [name for name, value in options.items() if state["options"][name] != value]
    except (*DAMAGED, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is damaged, or no checkpoint of fit; delete it to start anew ({error})"
        ) from error
    if other:
        raise ValueError(
            f"{path} is the checkpoint of a run with another {', '.join(other)}; delete it, or name "
            "another file"
        )
    try:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{path} is the checkpoint of another network ({error})") from error
    scheduler.last_epoch = state["scheduler"]["last_epoch"]
    torch.set_rng_state(state["torch_rng"])
    order.bit_generator.state = state["order_rng"]
    return history, state["best"]
