"""Pull from warehouses: windows, late data, dialect manners."""

from alerting.warehouse.connect import connect_problems, value_columns
from alerting.warehouse.errors import (
    BadResult,
    LoginRefused,
    Misconfigured,
    QueryFailed,
    RowCapReached,
    SourceError,
    TimedOut,
    Unreachable,
)
from alerting.warehouse.pull import Pulled, Warehouse, open_warehouse
from alerting.warehouse.statements import lint
from alerting.warehouse.windows import Window, plan, settle, settled

__all__ = [
    "BadResult",
    "LoginRefused",
    "Misconfigured",
    "Pulled",
    "QueryFailed",
    "RowCapReached",
    "SourceError",
    "TimedOut",
    "Unreachable",
    "Warehouse",
    "Window",
    "connect_problems",
    "lint",
    "open_warehouse",
    "plan",
    "settle",
    "settled",
    "value_columns",
]
