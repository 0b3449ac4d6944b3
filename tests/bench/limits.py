"""What a process of a benchmark may open."""

import resource


def allow_many_files() -> int:
    """Raise the number of open files as far as this user may; what it is then."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
