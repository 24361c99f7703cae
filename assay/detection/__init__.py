"""Which dataset type is this file?"""

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
from assay.detection.roles import Columns, Role

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
