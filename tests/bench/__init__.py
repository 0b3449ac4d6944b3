"""The project's own benchmarks: one module a name, each with `measure(arguments) -> Report`."""
