"""Races of units 03 and 04: our quantizers against the library that does each best.

Both sides run in one process, one after the other in turns, on one thread. CPU seconds are medians
of ``repeats`` runs; a race that takes minutes is run once.
Needs the extra ``peers``. The peers are for racing only: nothing else in the course imports them.
"""

import contextlib
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from course.measuring.results import Experiment
from utils.efficiency import seconds_in_turns
from utils.packing import write_file
from utils.quantization import (
    AdditiveQuantizer,
    KMeansQuantizer,
    LocalSearchQuantizer,
    OptimizedProductQuantizer,
    PercentileQuantizer,
    ProductQuantizer,
    quantize_network,
)

# --- what the races share ---------------------------------------------------------------------------


@contextlib.contextmanager
def one_thread():
    """NumPy, PyTorch and faiss on one thread. (faiss crawls if several share busy cores.)"""
    import faiss

    torch_threads, faiss_threads = torch.get_num_threads(), faiss.omp_get_max_threads()
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(torch_threads)
        faiss.omp_set_num_threads(faiss_threads)


def cpu_seconds(*sides, repeats):
    """For each side, a callable: its last result and the median of its CPU seconds.

    The sides take turns, so that a busy spell of the machine hits them alike.
    """
    seconds, results = [[] for _ in sides], [None] * len(sides)
    for _ in range(repeats):
        for i, side in enumerate(sides):
            start = time.process_time()
            results[i] = side()
            seconds[i].append(time.process_time() - start)
    return results, [float(np.median(s)) for s in seconds]


def relative_error(X, restored):
    """Mean squared error over variance."""
    X = np.asarray(X, np.float64)
    return float(np.square(restored - X).mean() / X.var())


def iid_vectors(n=30_000, d=300, seed=0):
    """N(0, 1), the worst case: nothing to exploit."""
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def decaying_vectors(n=30_000, d=300, seed=0):
    """Standard deviations i**-0.5 along random axes, log-normal norms: more like word vectors."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * np.arange(1, d + 1) ** -0.5
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return (X @ axes * rng.lognormal(0, 0.25, (n, 1))).astype(np.float32)


def weights(n=1_000_000, seed=0):
    """Half Laplace, half normal: a layer's weights."""
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.laplace(0, 0.05, n // 2), rng.normal(0, 0.1, n - n // 2)])
    return values.astype(np.float32)


# --- vectors, against faiss -------------------------------------------------------------------------

M, K = 30, 256


def race_pq_encode(repeats=5):
    """Codes of 30,000 x 300 with the same codebooks."""
    import faiss

    with one_thread():
        X = iid_vectors()
        peer = faiss.ProductQuantizer(300, M, 8)
        peer.cp.niter = 10
        peer.train(X)
        codebooks = faiss.vector_to_array(peer.centroids).reshape(M, K, 300 // M)
        state = {
            "n_subspaces": M,
            "n_codes": K,
            "codebook_": np.ascontiguousarray(codebooks.transpose(1, 0, 2)).reshape(K, 300),
        }
        ours = ProductQuantizer.from_state(state)
        (codes, peer_codes), (seconds, peer_seconds) = cpu_seconds(
            lambda: ours.transform(X), lambda: peer.compute_codes(X), repeats=repeats
        )
        rows, chunks = np.nonzero(codes != peer_codes)
        gaps = []  # in exact arithmetic, how much nearer is the peer's choice, relatively?
        for i, m in zip(rows, chunks, strict=True):
            x = X[i].reshape(M, -1)[m].astype(np.float64)
            a, b = (np.square(x - codebooks[m, c[i, m]]).sum() for c in (codes, peer_codes))
            gaps.append(float((a - b) / b))
        return {
            "race": "pq_encode",
            "peer": f"faiss {faiss.__version__}",
            "cpu_s": seconds,
            "peer_cpu_s": peer_seconds,
            "ratio": seconds / peer_seconds,
            "bar_ratio": 0.25,
            "codes": codes.size,
            "differing_codes": len(rows),
            "relative_gaps_where_differing": gaps,
            "error": relative_error(X, ours.inverse_transform(codes)),
            "peer_error": relative_error(X, peer.decode(peer_codes)),
        }


def race_pq_train(repeats=3, data=iid_vectors):
    import faiss

    with one_thread():
        X = data()

        def train_peer():
            peer = faiss.ProductQuantizer(300, M, 8)
            peer.train(X)
            return peer

        (ours, peer), (seconds, peer_seconds) = cpu_seconds(
            lambda: ProductQuantizer(M, K, random_state=0).fit(X), train_peer, repeats=repeats
        )
        error = relative_error(X, ours.inverse_transform(ours.transform(X)))
        peer_error = relative_error(X, peer.decode(peer.compute_codes(X)))
        return {
            "race": f"pq_train_{data.__name__}",
            "peer": f"faiss {faiss.__version__}",
            "cpu_s": seconds,
            "peer_cpu_s": peer_seconds,
            "ratio": seconds / peer_seconds,
            "bar_ratio": 1.5,
            "error": error,
            "peer_error": peer_error,
            "error_ratio": error / peer_error,
            "bar_error_ratio": 1.005,
        }


def race_opq(repeats=1, data=decaying_vectors):
    """Training of rotation and codebooks; the peer with its default of 50 outer iterations."""
    import faiss

    with one_thread():
        X = data()

        def train_peer():
            rotation = faiss.OPQMatrix(300, M)
            rotation.niter = 50
            rotation.train(X)
            rotated = rotation.apply(X)
            peer = faiss.ProductQuantizer(300, M, 8)
            peer.train(rotated)
            return peer, rotated

        (ours, (peer, rotated)), (seconds, peer_seconds) = cpu_seconds(
            lambda: OptimizedProductQuantizer(M, K, random_state=0).fit(X),
            train_peer,
            repeats=repeats,
        )
        error = relative_error(X, ours.inverse_transform(ours.transform(X)))
        peer_error = relative_error(rotated, peer.decode(peer.compute_codes(rotated)))
        return {
            "race": f"opq_{data.__name__}",
            "peer": f"faiss {faiss.__version__}",
            "cpu_s": seconds,
            "peer_cpu_s": peer_seconds,
            "ratio": seconds / peer_seconds,
            "bar_ratio": 0.5,
            "error": error,
            "peer_error": peer_error,
            "error_ratio": error / peer_error,
            "bar_error_ratio": 1.01,
        }


def race_additive(repeats=1, data=iid_vectors):
    """M=8, K=256: training and encoding together, and product quantizers at equal total bytes."""
    import faiss

    with one_thread():
        X = data()

        def run(ours):
            codes = ours.fit_transform(X)
            return relative_error(X, ours.inverse_transform(codes)), ours.nbytes(codes)

        def run_peer():
            peer = faiss.LocalSearchQuantizer(300, 8, 8)
            peer.train(X)
            return relative_error(X, peer.decode(peer.compute_codes(X)))

        sides = (
            lambda: run(LocalSearchQuantizer(8, K, random_state=0)),
            lambda: run(AdditiveQuantizer(8, K, random_state=0)),
            run_peer,
        )
        ((lsq, lsq_bytes), (aq, _), peer_error), seconds = cpu_seconds(*sides, repeats=repeats)
        record = {
            "race": f"additive_{data.__name__}",
            "peer": f"faiss {faiss.__version__} LocalSearchQuantizer",
            "local_search_cpu_s": seconds[0],
            "additive_cpu_s": seconds[1],
            "peer_cpu_s": seconds[2],
            "local_search_ratio": seconds[0] / seconds[2],
            "additive_ratio": seconds[1] / seconds[2],
            "bar_ratio": 0.5,
            "local_search_error": lsq,
            "additive_error": aq,
            "peer_error": peer_error,
            "total_bytes": lsq_bytes,
        }
        for n_subspaces in (60, 75, 79):
            product = ProductQuantizer(n_subspaces, K, n_iter=10, random_state=0)
            codes = product.fit_transform(X)
            record[f"product_{n_subspaces}_error"] = relative_error(
                X, product.inverse_transform(codes)
            )
            record[f"product_{n_subspaces}_bytes"] = product.nbytes(codes)
        return record


# --- numbers, against scikit-learn and NumPy --------------------------------------------------------


def race_scalar_kmeans(repeats=5):
    """A million weights, 256 values; the exact optimum as well. Ours fits and encodes, repeatedly; the
    others, whose fit leaves labels behind, run once."""
    import kmeans1d
    import sklearn
    from sklearn.cluster import KMeans

    with one_thread():
        X = weights()
        quantizer = KMeansQuantizer(8)
        (codes,), (seconds,) = cpu_seconds(lambda: quantizer.fit_transform(X), repeats=repeats)
        (peer,), (peer_seconds,) = cpu_seconds(
            lambda: KMeans(256, n_init=1, random_state=0).fit(X[:, None]), repeats=1
        )
        ((labels, centres),), (exact_seconds,) = cpu_seconds(
            lambda: kmeans1d.cluster(X.astype(np.float64), 256), repeats=1
        )
        error = relative_error(X, quantizer.inverse_transform(codes))
        exact_error = relative_error(X, np.array(centres)[np.array(labels)])
        return {
            "race": "scalar_kmeans",
            "peer": f"scikit-learn {sklearn.__version__}",
            "cpu_s": seconds,
            "peer_cpu_s": peer_seconds,
            "ratio": seconds / peer_seconds,
            "bar_ratio": 0.02,
            "error": error,
            "peer_error": relative_error(X, peer.cluster_centers_[peer.labels_, 0]),
            "exact_cpu_s": exact_seconds,
            "exact_error": exact_error,
            "error_to_exact": error / exact_error,
            "bar_error_to_exact": 1.01,
        }


def race_percentile(repeats=9):
    """A million normal weights to 256 bins of equal size, fitted and encoded."""
    with one_thread():
        X = np.random.default_rng(0).standard_normal(1_000_000).astype(np.float32)
        quantizer = PercentileQuantizer(8)

        def peer():
            edges = np.quantile(X, np.arange(1, 256) / 256)
            return edges, np.searchsorted(edges, X, side="right")

        (codes, (edges, peer_codes)), (seconds, peer_seconds) = cpu_seconds(
            lambda: quantizer.fit_transform(X), peer, repeats=repeats
        )
        ends = np.r_[X.min(), edges, X.max()]
        return {
            "race": "percentile_grid",
            "peer": f"np.quantile and np.searchsorted {np.__version__}",
            "cpu_s": seconds,
            "peer_cpu_s": peer_seconds,
            "ratio": seconds / peer_seconds,
            "bar_ratio": 1.0,
            "error": relative_error(X, quantizer.inverse_transform(codes)),
            "error_of_bin_middles": relative_error(X, ((ends[1:] + ends[:-1]) / 2)[peer_codes]),
            "differing_codes": int((codes != peer_codes).sum()),
        }


# --- an int8 GRU and its embedding, against onnxruntime and torch.ao --------------------------------

STEPS = 30


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10_000, 300)
        self.gru = nn.GRU(300, 128, batch_first=True)

    def forward(self, ids):
        return self.gru(self.embedding(ids))[1][0]


def onnx_file(encoder, path):
    """The encoder as an ONNX graph: Gather, Transpose, GRU, Squeeze."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def gates(tensor):  # PyTorch orders reset, update, new; ONNX update, reset, new
        r, z, n = tensor.detach().numpy().reshape(3, 128, -1)
        return np.concatenate([z, r, n])[None]

    gru = encoder.gru
    bias = np.concatenate([gates(gru.bias_ih_l0)[..., 0], gates(gru.bias_hh_l0)[..., 0]], axis=1)
    constants = {
        "table": encoder.embedding.weight.detach().numpy(),
        "W": gates(gru.weight_ih_l0),
        "R": gates(gru.weight_hh_l0),
        "B": bias,
        "zero": np.array([0]),
    }
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["words"]),
        helper.make_node("Transpose", ["words"], ["steps"], perm=[1, 0, 2]),
        helper.make_node(
            "GRU", ["steps", "W", "R", "B"], ["", "last"], hidden_size=128, linear_before_reset=1
        ),
        helper.make_node("Squeeze", ["last", "zero"], ["state"]),
    ]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", STEPS])],
        [helper.make_tensor_value_info("state", TensorProto.FLOAT, ["batch", 128])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def int8_sides(folder: Path) -> tuple[dict, dict]:
    """The encoder in float32 and int8, by us and by the peers; their bytes on the disk."""
    import onnxruntime
    from onnxruntime.quantization import quantize_dynamic as quantize_onnx
    from torch.ao import quantization as ao

    torch.manual_seed(0)
    encoder = Encoder().eval()
    ours = quantize_network(encoder)
    for name, network in (("ours", ours), ("float32", encoder)):
        tensors = {name: t.detach().numpy() for name, t in network.state_dict().items()}
        write_file(folder / name, tensors, {})
    onnx_file(encoder, folder / "ort_float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantize_onnx(folder / "ort_float32", folder / "ort_int8")
        qconfig = {
            nn.GRU: ao.default_dynamic_qconfig,
            nn.Embedding: ao.float_qparams_weight_only_qconfig,
        }
        torch_ao = ao.quantize_dynamic(encoder, qconfig)
        torch.save(torch_ao.state_dict(), folder / "torch_ao")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1

    def session(name):
        run = onnxruntime.InferenceSession(folder / name, options).run
        return lambda ids: torch.from_numpy(run(None, {"ids": ids.numpy()})[0])

    sides = {
        "ours": ours,
        "float32": encoder,
        "torch_ao": torch_ao,
        "ort_float32": session("ort_float32"),
        "ort_int8": session("ort_int8"),
    }
    return sides, {name: (folder / name).stat().st_size for name in sides}


def int8_inputs(batch: int) -> torch.Tensor:
    return torch.randint(0, 10_000, (batch, STEPS), generator=torch.Generator().manual_seed(batch))


def race_int8_gru(repeats=31):
    import onnxruntime

    with one_thread(), torch.inference_mode(), tempfile.TemporaryDirectory() as folder:
        sides, sizes = int8_sides(Path(folder))
        record = {
            "race": "int8_gru",
            "peer": f"onnxruntime {onnxruntime.__version__}, torch.ao {torch.__version__}",
            **{f"{name}_bytes": size for name, size in sizes.items()},
        }
        for batch in (1, 64):
            ids = int8_inputs(batch)
            for side in sides.values():  # warm up
                side(ids), side(ids)
            states, seconds = cpu_seconds(
                *[lambda s=side, ids=ids: s(ids) for side in sides.values()], repeats=repeats
            )
            for name, state, s in zip(sides, states, seconds, strict=True):
                record[f"{name}_cpu_ms_b{batch}"] = 1000 * s
                record[f"{name}_max_error_b{batch}"] = float((state - states[1]).abs().max())
            for name in list(sides)[1:]:
                ratio = record[f"ours_cpu_ms_b{batch}"] / record[f"{name}_cpu_ms_b{batch}"]
                record[f"ratio_to_{name}_b{batch}"] = ratio
        return record


NAMES = {
    "ours": "our int8",
    "torch_ao": "PyTorch's int8 (torch.ao)",
    "ort_int8": "onnxruntime's int8",
    "float32": "float32, PyTorch",
    "ort_float32": "float32, onnxruntime",
}


def latency(seed: int, repeats: int = 200) -> list[dict]:
    """How long a batch takes from ids to states. Float32 is that of PyTorch, for all."""
    records = []
    with one_thread(), torch.inference_mode(), tempfile.TemporaryDirectory() as folder:
        sides, _ = int8_sides(Path(folder))
        for batch in (1, 64):
            works = {name: partial(sides[name], int8_inputs(batch)) for name in NAMES}
            seconds = seconds_in_turns(works, repeats, clock=time.perf_counter)
            median = {name: float(np.median(values)) for name, values in seconds.items()}
            records += [
                {
                    "method": method,
                    "setting": "embedding and GRU, 300 to 128, 30 steps, 1 thread",
                    "seed": seed,
                    "batch_size": batch,
                    "latency_ms_p50": 1e3 * median[name],
                    "latency_ms_p25": 1e3 * float(np.percentile(seconds[name], 25)),
                    "latency_ms_p75": 1e3 * float(np.percentile(seconds[name], 75)),
                    "ratio_to_float32": median[name] / median["float32"],
                }
                for name, method in NAMES.items()
            ]
    return records


def _race(run, **options) -> Experiment:
    """A race as an experiment of one record; no seed changes what it measures."""

    def measure(seed: int) -> list[dict]:
        measured = run(**options)
        return [
            {
                "method": measured.pop("race"),
                "setting": measured.pop("peer"),
                "seed": seed,
                **measured,
            }
        ]

    name = "_".join([run.__name__, *(option.__name__ for option in options.values())])
    return Experiment(f"races: {name}", measure, seeded=False, alone=True, scored=False)


RACES = [
    _race(race_percentile),
    _race(race_pq_encode),
    _race(race_pq_train),
    _race(race_pq_train, data=decaying_vectors),
    _race(race_scalar_kmeans),
    _race(race_int8_gru),
    _race(race_opq),
    _race(race_additive),
    _race(race_additive, data=decaying_vectors),
]
