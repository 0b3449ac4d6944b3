"""The front door: parses the command, wires the parts, hands over."""
