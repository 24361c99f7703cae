"""What must hold of template.yaml beyond what `sam validate --lint` knows."""

import re
from collections import Counter
from typing import Any, get_args

import pytest
from pydantic import SecretStr

from shared.database import transport
from shared.settings import Settings
from shared.sign_in import service as sign_in_service
from shared.worker_time import WORKER_SECONDS
from tests.cloudformation import referred

from .conftest import ROOT, Resources


def of_type(resources: Resources, kind: str) -> Resources:
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


def statements(resources: Resources) -> list[tuple[str, dict[str, Any]]]:
    """Every statement that allows something: (logical id, statement)."""
    found = []
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        documents = [policy["PolicyDocument"] for policy in role["Policies"]]
        found += [(name, statement) for document in documents for statement in document["Statement"]]
    for kind in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"):
        for name, policy in of_type(resources, kind).items():
            found += [(name, statement) for statement in policy["PolicyDocument"]["Statement"]]
    return [(name, statement) for name, statement in found if statement["Effect"] == "Allow"]


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def environment(template: dict[str, Any], function: dict[str, Any]) -> dict[str, object]:
    return {
        **template["Globals"]["Function"]["Environment"]["Variables"],
        **function.get("Environment", {}).get("Variables", {}),
    }


def test_no_route_stands_twice(routes: list[tuple[str, str]]) -> None:
    counts = Counter(route for _, route in routes)
    assert counts
    assert max(counts.values()) == 1


@pytest.mark.parametrize("queue", ["Queue", "NewsQueue"])
def test_queue_hides_a_message_six_times_as_long_as_process_may_take(resources: Resources, queue: str) -> None:
    timeout = resources["ProcessFunction"]["Properties"]["Timeout"]
    assert resources[queue]["Properties"]["VisibilityTimeout"] >= 6 * timeout


@pytest.mark.parametrize("function", ["UploadFunction", "DownloadFunction"])
def test_a_request_may_wait_for_the_database_as_long_as_our_code_does(resources: Resources, function: str) -> None:
    # Connecting, and then the first byte of the answer; a later one ends the wait.
    sign_in = 2 * sign_in_service._SECONDS
    database = transport.TRYING_SECONDS + transport.CONNECT_SECONDS + transport.STATEMENT_SECONDS
    assert sign_in + database < resources[function]["Properties"]["Timeout"]
    assert transport.STATEMENT_SECONDS + 1 < transport.TRYING_SECONDS, "a call that timed out is to be sent again"


@pytest.mark.parametrize(("name", "at_once"), [("Queue", 1), ("NewsQueue", 10)])
def test_messages_fail_one_by_one_and_end_in_the_dead_letter_queue(
    functions: Resources, resources: Resources, name: str, at_once: int
) -> None:
    [event] = [
        event["Properties"]
        for event in functions["ProcessFunction"]["Events"].values()
        if event["Type"] == "SQS" and referred(event["Properties"]["Queue"]) == f"{name}.Arn"
    ]
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["BatchSize"] == at_once
    queue, dead = resources[name]["Properties"], resources["DeadLetterQueue"]["Properties"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 3,
    }
    assert dead["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


def test_a_mapping_keeps_its_name_for_stacks_that_are_there(functions: Resources) -> None:
    # Lambda refuses a second mapping of the same queue, which is what a new name would first be.
    event = functions["ProcessFunction"]["Events"]["ObjectCreated"]["Properties"]
    assert referred(event["Queue"]) == "Queue.Arn"


def test_the_bucket_is_private_and_tells_the_queue_of_uploads_alone(storage: str, resources: Resources) -> None:
    about_s3 = {name for name, resource in resources.items() if "Bucket" in name or "QueuePolicy" in name}
    if storage == "supabase":
        assert about_s3 == set()
        return
    assert about_s3 == {"Bucket", "BucketPolicy", "NewsQueuePolicy"}
    bucket = resources["Bucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (notification,) = bucket["NotificationConfiguration"]["QueueConfigurations"]
    assert notification["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "uploads/"}]
    assert referred(notification["Queue"]) == "NewsQueue.Arn"
    assert resources["Bucket"]["DependsOn"] == "NewsQueuePolicy"
    # The queue's policy must speak of this very name, which it cannot refer to.
    (statement,) = resources["NewsQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    source = statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert source == "arn:${AWS::Partition}:s3:::" + bucket["BucketName"]["Fn::Sub"]


def test_every_function_has_a_role_of_its_own(functions: Resources, resources: Resources) -> None:
    # Without a Role, SAM would add managed policies that reach every queue and every log group.
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions.values()]
    assert len(set(roles)) == len(functions)
    assert not [role for role in roles if resources[role]["Properties"].get("ManagedPolicyArns")]


def test_nothing_is_allowed_by_wildcard(resources: Resources) -> None:
    allowed = statements(resources)
    assert allowed
    for name, statement in allowed:
        actions, targets = listed(statement["Action"]), listed(statement["Resource"])
        assert not [action for action in actions if "*" in action], name
        if targets == ["*"]:
            assert all(action.startswith("xray:Put") for action in actions), name
        for target in targets:
            text = target.get("Fn::Sub", "") if isinstance(target, dict) else "" if target == "*" else target
            assert text in {"", "${Bucket.Arn}/uploads/*", "${Bucket.Arn}/outputs/*"}, name


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("UploadRole", {("s3:PutObject", "uploads/*")}),
        ("DownloadRole", {("s3:GetObject", "outputs/*"), ("s3:GetObject", "uploads/*")}),
        (
            "ProcessRole",
            {
                ("s3:GetObject", "uploads/*"),
                ("s3:PutObject", "outputs/*"),
                ("s3:AbortMultipartUpload", "outputs/*"),
                ("s3:DeleteObject", "uploads/*"),
                ("s3:DeleteObject", "outputs/*"),
            },
        ),
    ],
)
def test_each_function_reaches_only_its_own_objects(
    storage: str, resources: Resources, role: str, expected: set[tuple[str, str]]
) -> None:
    found = {
        (action, target["Fn::Sub"].removeprefix("${Bucket.Arn}/"))
        for name, statement in statements(resources)
        if name == role
        for action in listed(statement["Action"])
        if action.startswith("s3:") and action != "s3:ListBucket"
        for target in listed(statement["Resource"])
    }
    assert found == (expected if storage == "s3" else set())


def test_a_browser_may_use_every_route_and_read_what_an_answer_says_of_itself(
    routes: list[tuple[str, str]], resources: Resources
) -> None:
    cors = resources["Api"]["Properties"]["CorsConfiguration"]
    assert set(cors["AllowMethods"]) == {route.split()[0] for _, route in routes}
    assert set(cors["ExposeHeaders"]) == {"apigw-requestid", "retry-after"}


def test_every_route_has_a_limit_and_hints_a_lower_one(routes: list[tuple[str, str]], resources: Resources) -> None:
    api = resources["Api"]["Properties"]
    ((route, hints),) = api["RouteSettings"].items()
    assert route == "POST /events/storage"
    assert route in {route for _, route in routes}
    default = api["DefaultRouteSettings"]
    for limit in ("ThrottlingBurstLimit", "ThrottlingRateLimit"):
        assert 0 < hints[limit] < default[limit]


def test_nothing_is_allowed_in_s3_where_it_is_not_the_storage(storage: str, resources: Resources) -> None:
    actions = {action for _, statement in statements(resources) for action in listed(statement["Action"])}
    assert any(action.startswith("s3:") for action in actions) == (storage == "s3")


def test_who_may_send_to_which_queue(storage: str, resources: Resources) -> None:
    senders = {
        (name, referred(queue))
        for name, statement in statements(resources)
        if "sqs:SendMessage" in listed(statement["Action"])
        for queue in listed(statement["Resource"])
    }
    assert senders == {
        ("ProcessRole", "Queue.Arn"),
        ("ProcessRole", "NewsQueue.Arn"),
        ("UploadRole", "Queue.Arn"),
        ("NewsQueuePolicy" if storage == "s3" else "UploadRole", "NewsQueue.Arn"),
    }


def test_every_secret_is_a_reference_and_goes_only_where_it_is_used(
    storage: str, template: dict[str, Any], functions: Resources
) -> None:
    secret = {
        name.upper()
        for name, field in Settings.model_fields.items()
        if SecretStr in (field.annotation, *get_args(field.annotation)) and name != "supabase_publishable_key"
    }
    held = {name: secret & set(environment(template, function)) for name, function in functions.items()}
    access_key = {"OBJECT_STORE_ACCESS_KEY_ID", "OBJECT_STORE_SECRET_ACCESS_KEY"} if storage == "supabase" else set()
    hook = {"STORAGE_HOOK_SECRET"} if storage == "supabase" else set()
    assert held == {
        "UploadFunction": access_key | hook,
        "DownloadFunction": access_key,
        "ProcessFunction": access_key | {"SUPABASE_SECRET_KEY"},
    }
    for name, names in held.items():
        for value in (environment(template, functions[name])[variable] for variable in names):
            assert isinstance(value, dict)
            assert re.fullmatch(r"\{\{resolve:secretsmanager:\$\{\w+Secret\}:SecretString(:\w+)?\}\}", value["Fn::Sub"])


def test_a_parameter_that_may_be_left_out_may_be_empty(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        if "Default" in parameter and "AllowedPattern" in parameter:
            assert re.fullmatch(parameter["AllowedPattern"], str(parameter["Default"])), name


def test_supabase_storage_asks_for_every_parameter_of_its_own(template: dict[str, Any]) -> None:
    rule = template["Rules"]["SupabaseStorageIsComplete"]
    asked = {assertion["Assert"]["Fn::Not"][0]["Fn::Equals"][0]["Ref"] for assertion in rule["Assertions"]}
    assert asked == {name for name, parameter in template["Parameters"].items() if name.startswith("Storage")} - {
        "Storage"
    }


@pytest.mark.parametrize("file", ["template.yaml", "samconfig.toml", "supabase/config.toml"])
def test_no_secret_stands_in_a_file(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert not re.findall(
        r"sb_secret_\w|eyJ[\w-]{10}|AKIA[A-Z0-9]{16}|postgres(?:ql)?://|password\s*[:=]", text, re.IGNORECASE
    )


def test_every_function_has_all_settings_and_none_that_nobody_reads(
    template: dict[str, Any], functions: Resources
) -> None:
    known = {name.upper() for name in Settings.model_fields}
    required = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
    for function in functions.values():
        names = {name for name in environment(template, function) if not name.startswith("POWERTOOLS_")}
        assert required | {"STORAGE", "SUPABASE_PUBLISHABLE_KEY"} <= names <= known


def test_handlers_stand_where_the_house_has_them(functions: Resources) -> None:
    handlers = {
        name: function.get("Handler") or function["ImageConfig"]["Command"][0] for name, function in functions.items()
    }
    assert handlers == {
        "UploadFunction": "functions.upload.app.handler",
        "DownloadFunction": "functions.download.app.handler",
        "ProcessFunction": "functions.process.app.handler",
    }


def test_every_log_is_kept_for_a_set_time(functions: Resources, resources: Resources) -> None:
    groups = of_type(resources, "AWS::Logs::LogGroup")
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())
    used = {function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions.values()}
    access = resources["Api"]["Properties"]["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]
    assert used | {access} == set(groups)


def test_alarms_watch_the_queues_the_functions_and_the_api(functions: Resources, resources: Resources) -> None:
    watched = set()
    for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values():
        (dimension,) = alarm["Dimensions"]
        watched.add((referred(dimension["Value"]), alarm["MetricName"]))
        assert alarm["AlarmActions"] == [{"Fn::If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, {"Ref": "AWS::NoValue"}]}]
    assert watched == {(name, "Errors") for name in functions} | {
        ("DeadLetterQueue.QueueName", "ApproximateNumberOfMessagesVisible"),
        ("Queue.QueueName", "ApproximateAgeOfOldestMessage"),
        ("NewsQueue.QueueName", "ApproximateAgeOfOldestMessage"),
        ("Api", "5xx"),
        ("AWS::StackName", "InternalErrors"),
        ("AWS::StackName", "JobsQueued"),
    }


def test_silence_is_an_alarm_of_the_sweep_alone(resources: Resources) -> None:
    silent = {
        name
        for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items()
        if alarm["TreatMissingData"] == "breaching"
    }
    assert silent == {"SweepAlarm"}


def test_a_worker_lives_as_long_as_the_code_says(resources: Resources) -> None:
    assert resources["ProcessFunction"]["Properties"]["Timeout"] == WORKER_SECONDS
