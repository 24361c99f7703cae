"""A Table Schema: what the columns of a table must hold (https://specs.frictionlessdata.io/table-schema, version 1).

Of version 2 (https://datapackage.org/standard/table-schema) there are `fieldsMatch`, `uniqueKeys`, and `missingValues`
of a field; `aliases` and `severity` are Assay's own. A schema with anything else is refused, not read in part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

Severity = Literal["error", "warning"]
CheckName = Literal[
    "type", "required", "unique", "minimum", "maximum", "minLength", "maxLength", "pattern", "enum", "primaryKey",
    "uniqueKeys", "fieldsMatch", "shape",
]  # fmt: skip
FieldType = Literal[
    "string", "number", "integer", "boolean", "date", "time", "datetime", "year", "yearmonth", "duration", "geopoint",
    "object", "array", "geojson", "any",
]  # fmt: skip

_ORDERED = ("number", "integer", "date", "time", "datetime", "year", "yearmonth")
_TYPES_OF: dict[str, tuple[str, ...]] = {
    "minimum": _ORDERED,
    "maximum": _ORDERED,
    "minLength": ("string",),
    "maxLength": ("string",),
    "pattern": ("string", "any"),
}
"""The constraints that only some types have."""

_TEMPORAL = ("date", "time", "datetime")
_FORMATS: dict[str, tuple[str, ...]] = {
    "string": ("default", "email", "uri", "binary", "uuid"),
    "geopoint": ("default", "array", "object"),
}
# What Rust's regex has not, since it takes time that grows with the cell alone: look-around and back references.
_NOT_LINEAR = r"\(\?<?[=!]|\\[1-9]|\(\?P=|\\k<"

# More than any line without the names of the fields can score as a header.
_SURE = 1_000_000.0


def never_null(schema: dict[str, Any]) -> None:
    """Say of what may be left out only what it is when it is given: a refusal then names the place within it."""
    given = schema.pop("anyOf")
    schema.pop("default", None)
    schema.update(given[0] if len(given) == 2 else {"anyOf": given[:-1]})


def _linear(schema: dict[str, Any]) -> None:
    never_null(schema)
    schema["not"] = {"pattern": _NOT_LINEAR}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class Constraints(_Part):
    """What the values of a field must be."""

    required: bool = Field(default=False, description="whether every cell must hold a value")
    unique: bool = Field(default=False, description="whether no value may come twice")
    minimum: int | float | str | None = Field(default=None, description="the least value", json_schema_extra=never_null)
    maximum: int | float | str | None = Field(
        default=None, description="the greatest value", json_schema_extra=never_null
    )
    min_length: int | None = Field(
        default=None, ge=0, description="the least number of characters", json_schema_extra=never_null
    )
    max_length: int | None = Field(
        default=None, ge=0, description="the greatest number of characters", json_schema_extra=never_null
    )
    pattern: str | None = Field(
        default=None,
        max_length=1000,
        description="a regular expression that the whole cell must match, without look-around and back references",
        json_schema_extra=_linear,
    )
    enum: list[bool | int | float | str] | None = Field(
        default=None, min_length=1, description="the values that there may be", json_schema_extra=never_null
    )

    def given(self) -> list[str]:
        """Name the constraints that are set, as the standard writes them."""
        return [to_camel(name) for name in type(self).model_fields if getattr(self, name) not in (None, False)]


def _by_type(schema: dict[str, Any]) -> None:
    """Write what depends on the type into the JSON Schema of a field."""
    schema["properties"]["constraints"].pop("default", None)
    types = schema["properties"]["type"]["enum"]
    rules: list[dict[str, Any]] = []
    for name in types:
        lacking = {key: False for key, of in _TYPES_OF.items() if name not in of}
        then: dict[str, Any] = {"constraints": {"properties": lacking}} if lacking else {}
        if name not in _TEMPORAL:
            then["format"] = {"enum": [*_FORMATS.get(name, ("default",))]}
        # What a field is not said to be is text.
        case: dict[str, Any] = {"properties": {"type": {"const": name}}}
        rules.append({"if": case if name == "string" else case | {"required": ["type"]}, "then": {"properties": then}})
    schema["allOf"] = rules


class SchemaField(_Part):
    """One column: what it is called, what it holds, and how that is written."""

    model_config = ConfigDict(json_schema_extra=_by_type)

    name: str = Field(min_length=1, max_length=500, description="the header of the column")
    aliases: list[str] = Field(default=[], description="other headers that it may have")
    type: FieldType = Field(default="string", description="what its cells hold")
    format: str = Field(
        default="default",
        min_length=1,
        max_length=100,
        description="how that is written: of a date or time a pattern such as %d/%m/%Y, or any; of a string email, "
        "uri, binary or uuid",
    )
    constraints: Constraints = Field(default=Constraints(), description="what its values must be")
    severity: Severity | dict[CheckName, Severity] = Field(
        default="error", description="whether a row that breaks a check is refused (error), for all checks or by name"
    )
    missing_values: list[str] | None = Field(
        default=None, description="what stands for no value, instead of the schema's", json_schema_extra=never_null
    )
    true_values: list[str] = Field(
        default=["true", "True", "TRUE", "1"], min_length=1, description="what stands for true"
    )
    false_values: list[str] = Field(
        default=["false", "False", "FALSE", "0"], min_length=1, description="what stands for false"
    )
    decimal_char: str = Field(default=".", min_length=1, max_length=1, description="the decimal mark")
    group_char: str | None = Field(
        default=None, min_length=1, max_length=1, description="what groups thousands", json_schema_extra=never_null
    )
    bare_number: bool = Field(default=True, description="false where units stand before or behind the numbers")
    title: str = Field(default="", description="a name for people; checks nothing")
    description: str = Field(default="", description="words for people; check nothing")
    example: Any = Field(default=None, description="a value for people; checks nothing")
    rdf_type: str = Field(default="", description="what it means, as a URI; checks nothing")

    @property
    def headers(self) -> tuple[str, ...]:
        """What its column may be called."""
        return (self.name, *self.aliases)

    def severity_of(self, check: CheckName) -> Severity:
        """How much a breach of a check weighs."""
        return self.severity if isinstance(self.severity, str) else self.severity.get(check, "error")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        for name in self.constraints.given():
            if self.type not in _TYPES_OF.get(name, (self.type,)):
                of = ", ".join(_TYPES_OF[name])
                raise ValueError(f"a field of type {self.type} has no {name}: that is for {of}")
        formats = _FORMATS.get(self.type, ("default",))
        if self.type not in _TEMPORAL and self.format not in formats:
            raise ValueError(f"a field of type {self.type} has no format {self.format}: choose {', '.join(formats)}")
        if self.type == "boolean" and not {*self.true_values}.isdisjoint(self.false_values):
            raise ValueError("a text can't stand for both true and false")
        if self.group_char == self.decimal_char:
            raise ValueError("groupChar and decimalChar must differ")
        return self


class TableSchema(_Part):
    """The columns of a table, and what must be true of all of them together."""

    fields: list[SchemaField] = Field(min_length=1, max_length=10_000, description="the columns")
    fields_match: Literal["exact", "equal", "subset", "superset", "partial"] = Field(
        default="exact",
        description="exact: these columns in this order; equal: in any order; subset: and others; superset: no others; "
        "partial: at least one of them",
    )
    missing_values: list[str] = Field(default=[""], description="what stands for no value")
    primary_key: str | list[str] | None = Field(
        default=None, description="the fields that tell the rows apart", json_schema_extra=never_null
    )
    unique_keys: list[list[str]] = Field(
        default=[], description="fields whose values together may not come twice; a row without one of them may"
    )
    severity: dict[CheckName, Severity] = Field(
        default={}, description="error or warning, for primaryKey, uniqueKeys, fieldsMatch and shape"
    )
    name: str = Field(default="", description="a name; checks nothing")
    title: str = Field(default="", description="a name for people; checks nothing")
    description: str = Field(default="", description="words for people; check nothing")
    profile: str = Field(default="", alias="$schema", description="the standard's own schema; checks nothing")

    @property
    def key(self) -> tuple[str, ...]:
        """The fields of the primary key."""
        if self.primary_key is None:
            return ()
        return (self.primary_key,) if isinstance(self.primary_key, str) else tuple(self.primary_key)

    def header_score(self, otherwise: Callable[[Sequence[str]], float]) -> Callable[[Sequence[str]], float]:
        """Score a line that has the names of the fields as the header before any other; others as `otherwise` does.

        It has them where they are most of its cells, or most of the fields are there and its other cells are words.
        """
        known = {header for field in self.fields for header in field.headers}

        def score(names: Sequence[str]) -> float:
            cells = [name.strip() for name in names if name.strip()]
            others = [cell for cell in cells if cell not in known]
            there = len(known & {*cells})
            words = sum(cell[0].isalpha() for cell in others)
            if 2 * there > len(cells) or (2 * there > len(self.fields) and 2 * words > len(others)):
                return _SURE + there
            return otherwise(names)

        return score

    def as_given(self) -> dict[str, Any]:
        """The schema in the standard's words, without what was left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        headers = [header for field in self.fields for header in field.headers]
        taken: set[str] = set()
        for header in headers:
            if header in taken:
                raise ValueError(f"two fields have the name or alias {header!r}")
            taken.add(header)
        names = {field.name for field in self.fields}
        for what, key in (("primaryKey", self.key), *(("uniqueKeys", tuple(key)) for key in self.unique_keys)):
            unknown = next((name for name in key if name not in names), None)
            if unknown is not None:
                raise ValueError(f"{what} names {unknown!r}, which is no field")
        return self
