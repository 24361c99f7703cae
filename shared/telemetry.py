"""Logs, metrics and traces: one of each, for every module of a function."""

from __future__ import annotations

import warnings

from aws_lambda_powertools import Logger, Metrics, Tracer

# Most requests count nothing, which is nothing to warn of.
warnings.filterwarnings("ignore", "No application metrics to publish")

logger = Logger(service="assay")
metrics = Metrics(namespace="Assay", service="assay")
tracer = Tracer(service="assay")
