"""Files packed in gzip, Zstandard or ZIP."""

from assay.formats.packed.containers import kind_of, unpack
from assay.formats.registry import Container

FORMAT = Container(rank=2, claims=kind_of, unpack=unpack)
