"""What is collected here: tests of rivals only where their libraries are, which ``make accuracy`` installs."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("river") else ["test_rivals_with_libraries.py"]
