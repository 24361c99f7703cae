"""Which dataset type is this file?"""

from functions.process.detection.detect import DETECTOR_VERSION, SURE, UNSURE, Candidate, Detection, Evidence, detect

__all__ = ["DETECTOR_VERSION", "SURE", "UNSURE", "Candidate", "Detection", "Evidence", "detect"]
