"""Read metrics from the log."""

from __future__ import annotations

import json


def metrics_in(text: str) -> dict[str, list[float]]:
    """Every value of every metric, as CloudWatch reads them from the log.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    found: dict[str, list[float]] = {}
    for line in text.splitlines():
        document = json.loads(line) if line.startswith('{"_aws"') else {"_aws": {"CloudWatchMetrics": []}}
        for directive in document["_aws"]["CloudWatchMetrics"]:
            assert directive["Namespace"] == "Assay"
            for metric in directive["Metrics"]:
                found.setdefault(metric["Name"], []).extend(document[metric["Name"]])
    return found
