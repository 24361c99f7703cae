"""What a deployment may use up: concurrency, money, and the patience of whoever reads alarms."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cloudformation import read_template, referred

from .conftest import ROOT, Resources

DEPLOY_PAGE = (ROOT / "docs/deploy.md").read_text("utf-8")
NEW_ACCOUNT = 10  # functions that a new AWS account may run at once
SWEEP = 1


def test_workers_leave_a_new_account_room_for_the_api(template: dict[str, Any], functions: Resources) -> None:
    workers = [
        event["Properties"]["ScalingConfig"]["MaximumConcurrency"]
        for event in functions["ProcessFunction"]["Events"].values()
        if event["Type"] == "SQS"
    ]
    parameter = template["Parameters"]["ProcessMaximumConcurrency"]
    jobs, news = (parameter["Default"] if isinstance(worker, dict) else worker for worker in workers)
    assert referred(workers[0]) == "ProcessMaximumConcurrency"
    assert parameter["MinValue"] == news == 2, "the least that AWS takes"
    room = NEW_ACCOUNT - jobs - news - SWEEP
    assert room >= 3
    assert f"{NEW_ACCOUNT} - {jobs} - {news} - {SWEEP} = {room}" in DEPLOY_PAGE


def test_nothing_is_reserved_unless_it_is_asked_for(template: dict[str, Any]) -> None:
    # With a quota of 10, Lambda refuses any reserve, and the stack would fail.
    assert template["Parameters"]["ApiReservedConcurrency"]["Default"] == 0
    functions = {
        name: resource["Properties"].get("ReservedConcurrentExecutions")
        for name, resource in read_template()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    reserve = {"Fn::If": ["HasApiReserve", {"Ref": "ApiReservedConcurrency"}, {"Ref": "AWS::NoValue"}]}
    assert functions == {"UploadFunction": reserve, "DownloadFunction": reserve, "ProcessFunction": None}


def test_a_budget_is_made_only_if_it_is_asked_for_and_tells_the_mail_of_the_alarms(template: dict[str, Any]) -> None:
    assert template["Parameters"]["MonthlyBudgetUsd"]["Default"] == 0
    assert template["Conditions"]["HasBudget"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "MonthlyBudgetUsd"}, "0"]}]}
    budget = template["Resources"]["Budget"]
    assert budget["Condition"] == "HasBudget"
    assert budget["Properties"]["Budget"]["BudgetLimit"] == {"Amount": {"Ref": "MonthlyBudgetUsd"}, "Unit": "USD"}
    kinds = set()
    for notification in budget["Properties"]["NotificationsWithSubscribers"]:
        kinds.add(notification["Notification"]["NotificationType"])
        assert notification["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": {"Ref": "AlarmEmail"}}]
    assert kinds == {"ACTUAL", "FORECASTED"}
    (assertion,) = template["Rules"]["ABudgetHasAReader"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]}


def test_no_single_error_of_the_api_is_an_alarm(resources: Resources) -> None:
    alarm = resources["ApiErrorsAlarm"]["Properties"]
    assert 1 < alarm["DatapointsToAlarm"] < alarm["EvaluationPeriods"]
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 600, "an outage is to be told of within minutes"


@pytest.mark.parametrize("page", ["docs/deploy.md", "docs/operations.md"])
def test_the_pages_say_when_the_api_s_alarm_rings(page: str, resources: Resources) -> None:
    alarm = resources["ApiErrorsAlarm"]["Properties"]
    text = (ROOT / page).read_text("utf-8")
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"], alarm["Period"]) == (3, 5, 60)
    assert re.search(r"5xx in three of five minutes", text)
