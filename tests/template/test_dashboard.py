"""The dashboard and the alarms show metrics that something writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

from shared.telemetry import NAMESPACE, MetricName
from tests.cloudformation import referred

from .conftest import Resources

# Namespace, name, and dimensions, each a pair of name and value.
Metric = tuple[str, str, tuple[str, ...]]
OURS = ("service", "${AWS::StackName}")


def body(resources: Resources) -> str:
    text: str = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return text


def widgets(resources: Resources) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body(resources))["widgets"]
    return found


def shown(resources: Resources) -> Iterator[Metric]:
    """Every metric of every widget, with what "." stands for.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """
    for widget in widgets(resources):
        above: list[str] = []
        for metric in widget["properties"]["metrics"]:
            named = [part for part in metric if isinstance(part, str)]
            above = [above[place] if part == "." else part for place, part in enumerate(named)]
            namespace, name, *dimensions = above
            yield namespace, name, tuple(dimensions)


def watched(resources: Resources) -> Iterator[Metric]:
    """The metric of every alarm."""
    for resource in resources.values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            alarm = resource["Properties"]
            (dimension,) = alarm["Dimensions"]
            yield alarm["Namespace"], alarm["MetricName"], (dimension["Name"], f"${{{referred(dimension['Value'])}}}")


def test_every_metric_of_ours_is_on_the_dashboard(resources: Resources) -> None:
    ours = {name for namespace, name, _ in shown(resources) if namespace == NAMESPACE}
    assert ours == set(get_args(MetricName))


def test_what_is_watched_is_written_and_shown(resources: Resources) -> None:
    assert set(watched(resources)) <= set(shown(resources))


def test_our_metrics_are_those_of_this_stack(template: dict[str, Any], resources: Resources) -> None:
    ours = {dimensions for namespace, _, dimensions in shown(resources) if namespace == NAMESPACE}
    assert ours == {OURS}
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}


def test_every_dimension_is_of_a_resource(resources: Resources) -> None:
    names = {name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", body(resources))}
    assert names - {"AWS::Region", "AWS::StackName"} <= set(resources)


def test_every_widget_says_which_figure_of_its_metrics_it_shows(resources: Resources) -> None:
    for widget in widgets(resources):
        properties = widget["properties"]
        assert {"title", "region", "period", "metrics"} <= set(properties)
        for metric in properties["metrics"]:
            options = metric[-1] if isinstance(metric[-1], dict) else {}
            assert "stat" in properties or "stat" in options, properties["title"]
