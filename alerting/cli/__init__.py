"""The command line."""


def main() -> None:
    """Runs the command that the arguments name."""
