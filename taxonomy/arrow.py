"""The suite's Arrow schemas: cases, of which every config is a projection, and labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from convsafe.taxonomy.records import SCHEMA_VERSION, Case, Label

if TYPE_CHECKING:
    import pyarrow as pa


def case_schema() -> pa.Schema:
    """Return the schema of a case, in column order."""
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    pair = pa.struct([("role", text), ("content", text)])
    tag = pa.struct([("kind", text), ("name", text)])
    scope = pa.struct([("agent", text), ("domain", text), ("directness", text)])
    image = pa.struct([("bytes", pa.binary()), ("path", text)])
    special = {
        "measures": texts,
        "messages": pa.list_(pair),
        "hazards": texts,
        "hazard_sources": texts,
        "transforms": pa.list_(tag),
        "facets": pa.list_(tag),
        "scope": scope,
        "choices": texts,
        "images": pa.list_(image),
        "also_in": texts,
    }
    columns = [(name, special.get(name, text)) for name in Case.__dataclass_fields__]
    return pa.schema(columns, metadata={"convsafe_schema_version": str(SCHEMA_VERSION)})


def case_table(cases: Iterable[Case], columns: Sequence[str] | None = None) -> pa.Table:
    """Return the cases as a table of these columns, by default those not null throughout."""
    import pyarrow as pa

    table = pa.Table.from_pylist([case.to_row() for case in cases], schema=case_schema())
    if columns is None:
        columns = [name for name in table.column_names if table[name].null_count < len(table)]
    return table.select(columns)


def label_schema() -> pa.Schema:
    """Return the schema of a label, in column order."""
    import pyarrow as pa

    flags = {"unsafe": pa.bool_(), "redistributable": pa.bool_()}
    columns = [(name, flags.get(name, pa.string())) for name in Label.__dataclass_fields__]
    return pa.schema(columns, metadata={"convsafe_schema_version": str(SCHEMA_VERSION)})


def label_table(labels: Iterable[Label]) -> pa.Table:
    """Return the labels as a table with every column."""
    import pyarrow as pa

    return pa.Table.from_pylist([label.to_row() for label in labels], schema=label_schema())
