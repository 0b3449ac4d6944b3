"""Jinja2 templates: escaped by default, an unknown name is an error."""

from collections.abc import Callable

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from occupancy.web.static_files import StaticFiles


class Pages:
    """The templates with `static('name')` for the addresses of their files."""

    def __init__(self, static: StaticFiles, package: str = "occupancy.web") -> None:
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader(package), PackageLoader("occupancy.web")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # a file looked at for each part of each page
        )
        self._environment.globals["static"] = static.url

    def add_filter(self, name: str, change: Callable[..., str]) -> None:
        """`{{ word | name }}` gives what `change` makes of it."""
        self._environment.filters[name] = change

    def render(self, template: str, **values: object) -> str:
        return self._environment.get_template(template).render(**values)
