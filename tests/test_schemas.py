"""The declared tables: valid Table Schemas, complete, and true to each other."""

from __future__ import annotations

import re

import frictionless
import pytest

from ecoanalysis import codebook, schemas
from ecoanalysis.errors import UsageError


@pytest.mark.parametrize("table", schemas.TABLES)
def test_schema_is_a_table_schema(table: str) -> None:
    schema = schemas.read_schema(table)
    assert frictionless.Schema.from_descriptor(schema).field_names == schemas.list_columns(table)
    assert set(schema.get("primaryKey", [])) <= set(schemas.list_columns(table))
    for field in schema["fields"]:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", field["name"])
        assert field["description"], field["name"]
        assert field["description_fr"], field["name"]
        if "codebook" in field:
            assert hasattr(codebook.read_codebook(), field["codebook"])


@pytest.mark.parametrize("table", schemas.TABLES)
def test_foreign_keys_point_at_columns_that_exist(table: str) -> None:
    for key in schemas.read_schema(table).get("foreignKeys", []):
        assert set(key["fields"]) <= set(schemas.list_columns(table))
        reference = key["reference"]
        assert set(reference["fields"]) <= set(schemas.list_columns(reference["resource"]))
        assert len(key["fields"]) == len(reference["fields"])


def test_required_columns_are_those_of_the_design() -> None:
    required = {
        table: [
            field["name"]
            for field in schemas.read_schema(table)["fields"]
            if field.get("constraints", {}).get("required")
        ]
        for table in schemas.TABLES
    }
    assert required == {
        "territories": ["territory_id", "name", "country_code"],
        "actors": ["territory_id", "actor_id", "name"],
        "relations": ["territory_id", "source_id", "target_id", "kind"],
        "raters": ["territory_id", "rater_id"],
        "ratings": ["territory_id", "actor_id", "rater_id", "criterion", "value"],
        "challenges": ["territory_id", "challenge_id", "title"],
        "positions": ["territory_id", "actor_id", "challenge_id", "rater_id", "value"],
        "influences": ["territory_id", "source_id", "target_id", "rater_id", "value"],
        "constraints": ["challenge_id", "actor_id", "rule"],
        "actions": ["territory_id", "action_id", "what", "status"],
        "kinds": ["code"],
        "subkinds": ["code"],
        "criteria": ["code"],
    }


@pytest.mark.parametrize("table", ["kinds", "subkinds", "criteria"])
def test_local_codes_have_the_columns_of_the_codebook(table: str) -> None:
    entries = getattr(codebook.read_codebook(), table)
    assert set(schemas.list_columns(table)) == {"code", *entries.columns}


def test_a_schema_is_a_copy_and_unknown_tables_are_refused() -> None:
    schemas.read_schema("actors")["fields"].clear()
    assert len(schemas.list_columns("actors")) == 20
    with pytest.raises(UsageError, match="organisations"):
        schemas.read_schema("organisations")
