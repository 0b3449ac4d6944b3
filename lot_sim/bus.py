"""How long a request and its reply keep a serial bus busy."""

BAUD = 9_600
_BITS_A_BYTE = 10  # 8N1: start bit, eight data bits, stop bit
_SILENT_BYTES = 3.5  # after a frame, Modbus over serial line V1.02, 2.5.1.1
_TURNAROUND_SECONDS = 0.005


def request_seconds(size_bytes: int) -> float:
    """Until the device has heard it, the silence behind it included."""
    return _frame_seconds(size_bytes)


def reply_seconds(size_bytes: int) -> float:
    """From there until the reply has come and the wire is free again."""
    return _TURNAROUND_SECONDS + _frame_seconds(size_bytes)


def _frame_seconds(size_bytes: int) -> float:
    return (size_bytes + _SILENT_BYTES) * _BITS_A_BYTE / BAUD
