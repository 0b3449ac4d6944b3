"""The congestion report: what planners decide from, made from the same numbers everywhere."""
