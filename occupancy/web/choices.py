"""What would have been right where a body is wrong: the values or fields of that place."""

import enum
import re
from collections.abc import Iterator

import msgspec
from msgspec import inspect

_STEP = re.compile(r"\.([^.\[]+)|\[([^\]]*)\]")


def choices_at(kind: type[msgspec.Struct], place: str) -> tuple[str, ...]:
    """The values of the enumerations at `place` (`.vehicle.class`, `.prefer[0]`)."""
    values = [
        str(member.value)
        for one in _branches(_types_at(kind, place))
        if isinstance(one, inspect.EnumType)
        for member in _members(one)
    ]
    return tuple(dict.fromkeys(values))


def fields_at(kind: type[msgspec.Struct], place: str) -> tuple[str, ...]:
    """The fields of the object at `place`."""
    return tuple(
        field.encode_name
        for one in _branches(_types_at(kind, place))
        if isinstance(one, inspect.StructType)
        for field in one.fields
    )


def _types_at(kind: type[msgspec.Struct], place: str) -> list[inspect.Type]:
    found = [inspect.type_info(kind)]
    for step in _STEP.finditer(place):
        name = step.group(1)
        found = [
            inner
            for one in _branches(found)
            for inner in (_fields(one, name) if name else _items(one))
        ]
    return found


def _branches(types: list[inspect.Type]) -> Iterator[inspect.Type]:
    for one in types:
        if isinstance(one, inspect.Metadata):
            yield from _branches([one.type])
        elif isinstance(one, inspect.UnionType):
            yield from _branches(list(one.types))
        else:
            yield one


def _fields(one: inspect.Type, name: str) -> Iterator[inspect.Type]:
    if isinstance(one, inspect.StructType):
        yield from (field.type for field in one.fields if field.encode_name == name)


def _items(one: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(one, inspect.VarTupleType | inspect.ListType | inspect.SetType):
        yield one.item_type


def _members(one: inspect.EnumType) -> Iterator[enum.Enum]:
    yield from one.cls
