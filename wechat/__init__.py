"""Answers citizens in the official account."""
