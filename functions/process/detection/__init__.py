"""Which dataset type is this file?"""

from functions.process.detection.detect import (
    DETECTOR_VERSION,
    LIKELY,
    SURE,
    UNSURE,
    Band,
    Candidate,
    Detection,
    detect,
)
from functions.process.detection.evidence import Evidence

__all__ = ["DETECTOR_VERSION", "LIKELY", "SURE", "UNSURE", "Band", "Candidate", "Detection", "Evidence", "detect"]
