"""A transformer that knows only the word pieces of some texts, and the places of short ones."""

import copy
import json
from collections.abc import Sequence

import numpy as np
import torch

from utils.models.networks import PAD
from utils.models.transformer import TransformerNetwork, WordPiece


def cut_pieces(
    tokenizer: WordPiece, texts: Sequence[str], length: int = 34, min_count: int = 1
) -> tuple[WordPiece, np.ndarray]:
    """A tokenizer with the pieces that occur in texts; it spells all other words with these.

    Of each character of these pieces both pieces stay that are this character alone, if there are such:
    so no word of known characters becomes the unknown one. With ``min_count`` 1, texts are read as before.

    Parameters
    ----------
    tokenizer : of word pieces; it stays as it is
    texts : those of train, never those that are to be judged
    length : pieces of a text that count
    min_count : how often a piece must occur

    Returns
    -------
    The new tokenizer, and int64 (pieces,): of each of its pieces, the number it had. Padding stays 0.

    Raises
    ------
    ValueError
        If ``min_count`` is below 1.

    Source: Abdaoui, Pradel and Sigel (2020), "Load what you need: smaller versions of multilingual
    BERT", arXiv 2010.05609, section 3.

    What people get wrong: they count the pieces of the test texts, too. What a file knows of test before
    it has seen any of it, no text that comes later will have.

    >>> from tokenizers import Tokenizer, models
    >>> from utils.models import WordPiece
    >>> from utils.models import cut_pieces
    >>> pieces = ["[PAD]", "[UNK]", "gladly", "sad", "s", "##a", "##d", "##ly"]
    >>> numbers = {piece: number for number, piece in enumerate(pieces)}
    >>> tokenizer = WordPiece(Tokenizer(models.WordPiece(numbers, unk_token="[UNK]")).to_str())
    >>> smaller, rows = cut_pieces(tokenizer, ["sad", "sadly"])
    >>> [pieces[row] for row in rows]
    ['[PAD]', '[UNK]', 'sad', 's', '##a', '##d', '##ly']
    """
    if min_count < 1:
        raise ValueError(f"min_count must be at least 1, got {min_count}")
    parts = json.loads(tokenizer.to_str())
    model = parts["model"]
    names = {number: piece for piece, number in model["vocab"].items()}
    counts = np.bincount(tokenizer.encode(texts, length).ravel(), minlength=max(names) + 1)
    prefix = model["continuing_subword_prefix"]
    known = set("".join(_bare(piece, prefix) for n, piece in names.items() if counts[n]))
    kept = {PAD, model["vocab"][model["unk_token"]]}
    kept |= set(tokenizer.encode([""], length).ravel().tolist())  # what stands around every text
    kept |= {token["id"] for token in parts["added_tokens"]}
    kept |= {n for n, p in names.items() if counts[n] >= min_count or _bare(p, prefix) in known}
    rows = sorted(kept)
    number_of = {old: new for new, old in enumerate(rows)}
    model["vocab"] = {names[old]: new for old, new in number_of.items()}
    for token in parts["added_tokens"]:
        token["id"] = number_of[token["id"]]
    _renumber(parts["post_processor"] or {}, number_of)
    return WordPiece(json.dumps(parts, ensure_ascii=False)), np.array(rows, dtype=np.int64)


def _bare(piece: str, prefix: str) -> str:
    return piece.removeprefix(prefix)


def _renumber(post_processor: dict, number_of: dict[int, int]) -> None:
    """The numbers of what a tokenizer puts around every text, in either way that it may be written."""
    for token in post_processor.get("special_tokens", {}).values():
        token["ids"] = [number_of[old] for old in token["ids"]]
    for name in ("sep", "cls"):
        if name in post_processor:
            piece, old = post_processor[name]
            post_processor[name] = [piece, number_of[old]]


@torch.no_grad()
def keep_pieces(network: TransformerNetwork, rows: np.ndarray, length: int) -> TransformerNetwork:
    """A copy of a transformer with these rows of its table, and with places for so many pieces.

    Parameters
    ----------
    network : a ``TransformerNetwork`` of any kind; it stays as it is
    rows : int64 (pieces,), as :func:`cut_pieces` gives them
    length : of the longest text it will read, in pieces

    Raises
    ------
    ValueError
        If the network has no such rows, or fewer places.

    Source: Abdaoui, Pradel and Sigel (2020), arXiv 2010.05609, section 3.

    What people get wrong: the old tokenizer before the new table. Most numbers still lead to some row.

    >>> from utils.models import TransformerNetwork
    >>> from utils.models import keep_pieces
    >>> widths = dict(hidden_size=4, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    >>> network = TransformerNetwork(dict(vocab_size=50, **widths), labels=2).eval()
    >>> smaller = keep_pieces(network, np.array([0, 7, 9]), length=12)
    >>> torch.equal(smaller(torch.tensor([[2, 1, 0]])), network(torch.tensor([[9, 7, 0]])))
    True
    """
    state = dict(network.state_dict())
    table, places = (
        f"encoder.embeddings.{kind}_embeddings.weight" for kind in ("word", "position")
    )
    if rows.min() < 0 or rows.max() >= len(state[table]) or not 0 < length <= len(state[places]):
        raise ValueError(
            f"a network of {len(state[table]):,} pieces and {len(state[places])} places cannot keep "
            f"rows up to {rows.max():,} and {length} places"
        )
    state |= {table: state[table][torch.from_numpy(rows)], places: state[places][:length]}
    config = copy.deepcopy(network.config)
    config["encoder"] |= {"vocab_size": len(rows), "max_position_embeddings": length}
    smaller = type(network)(**config)
    smaller.load_state_dict(state)
    return smaller.train(network.training)
