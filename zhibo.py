"""The front door: parses the command, wires the parts, hands over."""


def main() -> None:
    raise SystemExit("not wired yet")
