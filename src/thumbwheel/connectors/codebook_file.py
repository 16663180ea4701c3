"""A codebook as the YAML file its owner keeps in git."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

from thumbwheel.domain.codebook import Codebook, CodebookVersion
from thumbwheel.errors import CodebookInvalid


class _Loader(yaml.SafeLoader):
    """Plain values only, and no field twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                problem = f"{str(key.value)!a} is here twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def parse(text: str) -> object:
    """What the file says, unchecked.

    Raises:
        CodebookInvalid: it is not YAML, or has a field twice; with the place.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise CodebookInvalid(f"{where}{fault.problem or 'this is not YAML'}") from fault
    except (yaml.YAMLError, RecursionError) as fault:
        raise CodebookInvalid("this is not YAML") from fault


def write(version: CodebookVersion) -> str:
    """A published version as a file: parsed and checked, it is the same codebook."""
    codebook = version.codebook
    data = {"name": codebook.name, "version": version.version, "question": codebook.question}
    return _yaml(data | {"categories": _categories(codebook)})


def draft(codebook: Codebook, remark: str) -> str:
    """A codebook nobody has published, as a file for its owner to edit, with a remark of one line at its head."""
    data = {"name": codebook.name, "question": codebook.question, "categories": _categories(codebook)}
    return f"# {remark}\n{_yaml(data)}"


def _categories(codebook: Codebook) -> list[dict[str, str]]:
    fields = ("id", "name", "key", "definition", "positive", "negative", "edge_case")
    return [{field: getattr(category, field) for field in fields} for category in codebook.categories]


def _yaml(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
