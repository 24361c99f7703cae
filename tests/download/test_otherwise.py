"""What no route of its own takes, by the events of functions/download: HEAD, other methods, other addresses."""

from __future__ import annotations

import pytest

from tests.api import UNKNOWN_ID, Client
from tests.database.steps import Steps
from tools.openapi import document

pytestmark = pytest.mark.usefixtures("aws")
PATHS = document()["paths"]


def address(path: str) -> str:
    ids = dict.fromkeys(("job_id", "output_id", "webhook_id", "choice_id"), UNKNOWN_ID)
    return path.format(**ids, dataset_type="table")


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_an_address_has_not_is_405_and_names_those_that_it_has(client: Client, path: str) -> None:
    client.token = ""
    answer = client.call("PUT", address(path), body=b"x")
    assert answer.problem() == (405, "method_not_allowed")
    allowed = {method.upper() for method in PATHS[path]}
    assert set(answer.headers["allow"].split(", ")) == allowed | ({"HEAD"} if "GET" in allowed else set())


@pytest.mark.parametrize("path", [path for path in PATHS if "get" not in PATHS[path]])
def test_head_is_405_where_get_is_not(client: Client, path: str) -> None:
    answer = client.call("HEAD", address(path))
    assert (answer.status, answer.body) == (405, "")
    assert "HEAD" not in answer.headers["allow"]


@pytest.mark.parametrize("path", [path for path in PATHS if "get" in PATHS[path]])
def test_head_is_answered_as_get_without_the_body(client: Client, path: str) -> None:
    head, get = client.call("HEAD", address(path)), client.call("GET", address(path))
    assert (head.status, head.headers, head.body) == (get.status, get.headers, "")


def test_head_of_an_output_needs_a_token_and_leads_to_its_link(client: Client, steps: Steps) -> None:
    job_id, _ = steps.done()
    [output, *_] = client.call("GET", f"/jobs/{job_id}/outputs").json()["outputs"]
    answer = client.call("HEAD", f"/outputs/{output['output_id']}/download")
    assert (answer.status, answer.body) == (302, "")
    assert answer.headers["location"].startswith("http")
    client.token = ""
    assert client.call("HEAD", f"/outputs/{output['output_id']}/download").status == 401


def test_options_names_the_methods_of_an_address(client: Client) -> None:
    answer = client.call("OPTIONS", f"/jobs/{UNKNOWN_ID}")
    assert (answer.status, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, PATCH")


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/job", "/jobs/", "/jobs/1/2/3", "/jobs.", "/dataset-types//example"])
def test_an_address_that_there_is_not_is_404(client: Client, method: str, path: str) -> None:
    assert client.call(method, path).problem() == (404, "no_such_route")


@pytest.mark.parametrize("path", ["/jobs/\u00e9\x8f", "/outputs/\x10g/download"])
def test_an_id_of_odd_characters_is_404(client: Client, path: str) -> None:
    assert client.call("GET", path).problem() == (404, "no_such_route")
    assert client.call("PUT", path).problem() == (405, "method_not_allowed")
