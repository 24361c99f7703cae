"""Which dataset type is this file?"""

from assay.detection.columns import Columns, Role
from assay.detection.detect import (
    DETECTOR_VERSION,
    LIKELY,
    SURE,
    UNSURE,
    Band,
    Candidate,
    Detection,
    detect,
)
from assay.detection.evidence import Evidence

__all__ = [
    "DETECTOR_VERSION",
    "LIKELY",
    "SURE",
    "UNSURE",
    "Band",
    "Candidate",
    "Columns",
    "Detection",
    "Evidence",
    "Role",
    "detect",
]
