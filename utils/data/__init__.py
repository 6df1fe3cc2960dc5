"""GoEmotions: finding it, reading it, and turning comments into arrays.

The data set is Demszky et al., "GoEmotions: A Dataset of Fine-Grained Emotions", ACL 2020
(https://arxiv.org/abs/2005.00547).
"""

from utils.data.finding import (
    BASE_URL,
    SAMPLE_FOLDER,
    SHA256,
    SPLITS,
    DataSource,
    download_goemotions,
    find_goemotions,
)
from utils.data.labels import EMOTIONS, GROUPS, TAXONOMIES, group_labels, label_names
from utils.data.reading import (
    Dataset,
    describe,
    load_goemotions,
    load_sample,
    read_split,
    validate_file,
)
from utils.data.words import (
    SEQUENCE_LENGTH,
    Vocabulary,
    length_coverage,
    mean_vectors,
    tokenize,
)
from utils.errors import DataError

__all__ = [
    "BASE_URL",
    "EMOTIONS",
    "GROUPS",
    "SAMPLE_FOLDER",
    "SEQUENCE_LENGTH",
    "SHA256",
    "SPLITS",
    "TAXONOMIES",
    "DataError",
    "DataSource",
    "Dataset",
    "Vocabulary",
    "describe",
    "download_goemotions",
    "find_goemotions",
    "group_labels",
    "label_names",
    "length_coverage",
    "load_goemotions",
    "load_sample",
    "mean_vectors",
    "read_split",
    "tokenize",
    "validate_file",
]
