"""Requests and responses about uploads."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from shared.wire.jobs import Job
from shared.wire.model import Model
from shared.wire.parameters import Parameters, refused

OnDuplicate = Literal["reuse", "reprocess"]

MAX_FILENAME_CHARACTERS = 255
# Invisible characters, and characters that change the direction of text: a name must be what it looks like. The joiners
# U+200C and U+200D are allowed, since Persian and emoji need them.
_UNSEEN = r"\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
_UNSEEN_CHARACTER = re.compile(f"[{_UNSEEN}]")
# For the OpenAPI document; _is_filename explains what is wrong with a name.
_UNFIT = rf"/\\\x00-\x1f\x7f-\x9f{_UNSEEN}"
_FILENAME_PATTERN = rf"^(?!\.{{1,2}}$)[^{_UNFIT}]*[^\s{_UNFIT}][^{_UNFIT}]*$"
FILENAME_SCHEMA: JsonDict = {"minLength": 1, "maxLength": MAX_FILENAME_CHARACTERS, "pattern": _FILENAME_PATTERN}


def _is_filename(name: str) -> str:
    if not name.strip() or name in {".", ".."}:
        raise refused("invalid_filename", "The file name is empty.", "Send the file's own name, such as river.csv.")
    if len(name) > MAX_FILENAME_CHARACTERS:
        raise refused(
            "invalid_filename",
            f"The file name has {len(name)} characters; at most {MAX_FILENAME_CHARACTERS} are allowed.",
            "Send a shorter name.",
        )
    if "/" in name or "\\" in name or any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise refused(
            "invalid_filename",
            "The file name contains a folder or a control character.",
            "Send the file's name alone, without folders.",
        )
    if unseen := _UNSEEN_CHARACTER.search(name):
        raise refused(
            "invalid_filename",
            f"The file name contains U+{ord(unseen[0]):04X}, which is invisible or changes the text direction.",
            "Rename the file without this character. It may be hard to see, so type the whole name again.",
        )
    return name


def _is_sha256(value: str) -> str:
    lowered = value.lower()
    if len(lowered) != 64 or any(character not in "0123456789abcdef" for character in lowered):
        raise refused(
            "invalid_sha256",
            "The SHA-256 is not 64 hexadecimal digits.",
            "Send the output of `sha256sum FILE`, without the file's name.",
        )
    return lowered


def _is_number(value: object) -> object:
    """Refuse strings and booleans, which pydantic would convert. 12.0 is an integer in JSON Schema and in pydantic."""
    if isinstance(value, str | bytes | bool):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


def _is_size(value: int) -> int:
    if value <= 0:
        raise refused("empty_file", "The file is empty.", "Upload a file with a header and at least one row.")
    return value


class UploadRequest(Model):
    """`POST /uploads`: describes the file that the client will send."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    filename: Annotated[str, AfterValidator(_is_filename)] = Field(
        description="the file's name, without folders",
        examples=["station_measurements.csv"],
        json_schema_extra=FILENAME_SCHEMA,
    )
    size_bytes: Annotated[int, BeforeValidator(_is_number), AfterValidator(_is_size)] = Field(
        description="size of the file in bytes", examples=[20_480], json_schema_extra={"minimum": 1}
    )
    sha256: Annotated[str, AfterValidator(_is_sha256)] = Field(
        description="SHA-256 of the file, in hex",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        json_schema_extra={"pattern": "^[0-9a-fA-F]{64}$"},
    )
    dataset_type: str | None = Field(
        default=None, description="the file's dataset type; detected if omitted", examples=["table"]
    )
    parameters: Parameters = Field(
        default_factory=dict, description="the pipeline's parameters", examples=[{"reading": {"delimiter": ";"}}]
    )
    on_duplicate: OnDuplicate = Field(
        default="reuse",
        description="reuse: return a finished job for the same file, if there is one; reprocess: process the file "
        "again",
    )


class Registered(Model):
    """A file that was registered, and when."""

    sha256: str = Field(description="SHA-256 of the file, in hex")
    size_bytes: int = Field(description="size of the file in bytes")
    filename: str = Field(description="the file name last given")
    first_seen: datetime = Field(description="when it was first registered")
    last_used: datetime = Field(description="when it was last registered")
    times_used: int = Field(description="how often it was registered")


class Upload(Registered):
    """An upload: one per owner and SHA-256."""

    jobs: list[Job] = Field(description="the ten latest jobs")


class PutLink(Model):
    """Where to send the file: one PUT to `url` with exactly these headers."""

    url: str = Field(description="the signed link")
    method: Literal["PUT"] = Field(default="PUT", description="the HTTP method")
    headers: dict[str, str] = Field(description="send exactly these")
    expires_at: datetime = Field(description="when the link expires")


class UploadAnswer(Model):
    """The job for an upload.

    If `cached` is true, nothing needs to be sent. Otherwise `put` is where to send the file, unless the request
    contained it.
    """

    cached: bool = Field(description="true if an earlier job has the result and nothing needs to be sent")
    job: Job = Field(description="the job for the upload")
    upload: Upload = Field(description="the upload")
    put: PutLink | None = Field(default=None, description="where to send the file; null if it need not be sent")
