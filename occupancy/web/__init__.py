"""Web faces of occupancy: API, board, operators, planners."""
