"""HTTP to API Gateway's event and back, and the bridge around it, with functions of the test's own."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypedDict, Unpack

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.bridge import JWKS_PATH, MAX_BODY_BYTES, Bridge
from local.aws.gateway import Request, to_event, to_response
from local.aws.lambda_context import LambdaContext
from local.aws.template import Function, Handler, Route, Template

UPLOAD = Function("Upload", "nowhere.handler", 29)
ROUTES = [
    Route("POST", "/uploads", UPLOAD),
    Route("GET", "/jobs/{job_id}", UPLOAD),
    Route("GET", "/jobs/{job_id}/outputs", UPLOAD),
]

Event = dict[str, Any]


def request(body: bytes = b"", **more: object) -> Request:
    given: Event = {
        "method": "POST",
        "raw_path": "/uploads",
        "query_string": "",
        "headers": [],
        "body": body,
        "client": "127.0.0.1",
        **more,
    }
    return Request(**given)


def test_event_is_that_of_payload_format_2() -> None:
    event = to_event(
        request(
            b'{"a": 1}',
            query_string="filename=a%20b.csv&tag=x&tag=y&empty=",
            headers=[
                ("content-type", "application/json"),
                ("x-a", "1"),
                ("x-a", "2"),
                ("cookie", "s=1; t=2"),
                ("host", "h"),
            ],
        ),
        ROUTES[0],
        {},
    )
    assert event["version"] == "2.0"
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "POST /uploads"
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/uploads"
    assert event["rawQueryString"] == "filename=a%20b.csv&tag=x&tag=y&empty="
    assert event["queryStringParameters"] == {"filename": "a b.csv", "tag": "x,y", "empty": ""}
    assert event["headers"] == {"content-type": "application/json", "x-a": "1,2", "host": "h"}
    assert event["cookies"] == ["s=1", "t=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert event["requestContext"]["stage"] == "$default"
    assert isinstance(event["requestContext"]["timeEpoch"], int)
    assert "pathParameters" not in event


def test_event_without_body_query_or_cookies_has_none_of_these_keys() -> None:
    event = to_event(request(), ROUTES[1], {"job_id": "7"})
    assert event["pathParameters"] == {"job_id": "7"}
    assert not {"body", "cookies", "queryStringParameters"} & set(event)


@pytest.mark.parametrize("media_type", ["text/csv; charset=utf-8", "application/octet-stream", ""])
@given(body=st.binary(min_size=1))
def test_body_arrives_byte_for_byte(media_type: str, body: bytes) -> None:
    event = to_event(request(body, headers=[("content-type", media_type)]), ROUTES[0], {})
    arrived = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    assert arrived == body


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/jobs/7", {"job_id": "7"}),
        ("/jobs/a%20b", {"job_id": "a b"}),
        ("/jobs/a%2Foutputs", {"job_id": "a/outputs"}),
        ("/jobs/", None),
        ("/jobs/7/", None),
        ("/jobs/7/outputs", None),
    ],
)
def test_route_matches_one_segment_a_parameter(path: str, found: dict[str, str] | None) -> None:
    assert ROUTES[1].match("GET", path) == found


def test_response_with_all_its_parts() -> None:
    response = to_response(
        {
            "statusCode": 302,
            "headers": {"Location": "https://x/", "X-Number": 3, "X-True": True},
            "cookies": ["a=1", "b=2"],
            "body": base64.b64encode(b"\x00\xff").decode(),
            "isBase64Encoded": True,
        }
    )
    assert response.status == 302
    assert response.body == b"\x00\xff"
    assert ("location", "https://x/") in response.headers
    assert ("x-number", "3") in response.headers
    assert ("x-true", "true") in response.headers
    assert [value for name, value in response.headers if name == "set-cookie"] == ["a=1", "b=2"]


def test_response_without_status_is_its_own_body() -> None:
    response = to_response({"hello": "world"})
    assert (response.status, json.loads(response.body)) == (200, {"hello": "world"})
    assert response.headers == [("content-type", "application/json")]


Ask = Callable[..., httpx.Response]


class More(TypedDict, total=False):
    content: bytes | AsyncIterator[bytes]
    headers: dict[str, str]


@pytest.fixture
def ask() -> Ask:
    """Send a request through a bridge whose function is the given one."""

    def send(handler: Handler, method: str, path: str, **more: Unpack[More]) -> httpx.Response:
        async def exchange() -> httpx.Response:
            bridge = Bridge(ROUTES, {"Upload": handler}, {"keys": []})
            transport = httpx.ASGITransport(app=bridge)
            async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
                return await client.request(method, path, **more)

        return anyio.run(exchange)

    return send


def never(_event: Event, _context: object) -> object:
    raise AssertionError("the function must not be called")


def test_bridge_calls_the_function_of_the_route_with_a_lambda_context(ask: Ask) -> None:
    def handler(event: Event, context: object) -> Event:
        assert isinstance(context, LambdaContext)
        assert 28_000 < context.get_remaining_time_in_millis() <= 29_000
        assert context.function_name == "Upload"
        return {"statusCode": 201, "body": json.dumps([event["pathParameters"], event["requestContext"]["requestId"]])}

    answer = ask(handler, "GET", "/jobs/7/outputs")
    assert (answer.status_code, answer.json()) == (201, [{"job_id": "7"}, answer.headers["apigw-requestid"]])


def test_bridge_answers_unknown_routes_itself(ask: Ask) -> None:
    answer = ask(never, "DELETE", "/uploads")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})
    assert answer.headers["apigw-requestid"]


def test_what_no_other_route_takes_is_for_the_default_route() -> None:
    routes = Template.read().routes
    matching = [(route.key, route.function.name) for route in routes if route.match("PUT", "/jobs/7") is not None]
    assert matching == [("$default", "DownloadFunction")]
    first = next(route for route in routes if route.match("GET", "/jobs/7") is not None)
    assert first.key == "GET /jobs/{job_id}"
    assert to_event(request(), routes[-1], {})["routeKey"] == "$default"


@pytest.mark.parametrize("chunked", [True, False])
def test_bridge_refuses_a_body_over_the_limit_and_stops_reading(ask: Ask, chunked: bool) -> None:
    read = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1024 * 1024
            yield bytes(1024 * 1024)

    headers = {} if chunked else {"content-length": str(100 * 1024 * 1024)}
    answer = ask(never, "POST", "/uploads", content=chunks(), headers=headers)
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})
    assert read <= MAX_BODY_BYTES + 2 * 1024 * 1024


def test_bridge_takes_a_body_of_exactly_the_limit(ask: Ask) -> None:
    def handler(event: Event, _context: object) -> object:
        return len(base64.b64decode(event["body"]))

    assert ask(handler, "POST", "/uploads", content=bytes(MAX_BODY_BYTES)).json() == MAX_BODY_BYTES


def test_function_that_crashes_becomes_a_500_that_tells_nothing(ask: Ask) -> None:
    def handler(_event: Event, _context: object) -> object:
        raise RuntimeError("secret")

    answer = ask(handler, "GET", "/jobs/7")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_bridge_serves_the_key_set(ask: Ask) -> None:
    assert ask(never, "GET", JWKS_PATH).json() == {"keys": []}


def test_template_names_the_routes_and_the_consumer_of_the_queue() -> None:
    template = Template.read()
    by_route = {(route.method, route.path): route.function.handler for route in template.routes}
    assert by_route["POST", "/uploads"] == "functions.upload.app.handler"
    assert by_route["GET", "/outputs/{output_id}/download"] == "functions.download.app.handler"
    for queue in ("Queue", "NewsQueue"):
        assert template.consumers[queue].function.handler == "functions.process.app.handler"
        assert template.consumers[queue].batch_size >= 1


def test_template_without_a_consumer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        "Resources:\n  A:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {Handler: a.b, Timeout: 3, Role: !GetAtt R.Arn}\n"
    )
    with pytest.raises(ValueError, match="one function that reads a queue"):
        Template.read(path)
