"""Erlang B: what share of drivers a car park without a queue must turn away."""


def blocked_share(offered_erlangs: float, spaces: int) -> float:
    """The share of arrivals that find `spaces` taken, arrivals being random (Poisson).

    `offered_erlangs`: arrivals an hour x mean stay in hours. Source: A. K. Erlang, 1917, by the
    recursion B(0) = 1, B(n) = a B(n-1) / (n + a B(n-1)).
    """
    if offered_erlangs <= 0:
        return 0.0
    share = 1.0
    for number in range(1, spaces + 1):
        share = offered_erlangs * share / (number + offered_erlangs * share)
    return share
