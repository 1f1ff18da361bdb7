"""What is wrong with the fields of a request, in JSON's words; Pydantic's errors name Python's types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submitted import MAX_DETAIL, SHAPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_NAME = 100  # characters of a name in the path to a wrong field
MAX_SENTENCE = 500  # characters of what is wrong with it


def described(problems: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the first MAX_DETAIL of Pydantic's errors as the entries of a refusal's `detail`: type, loc and msg.

    Their `input` and `ctx` are left out: they repeat the request, which can be megabytes.
    """
    return [
        {
            "type": problem["type"],
            "loc": tuple(_excerpt(part) for part in problem["loc"] if part not in SHAPES),
            "msg": _excerpt(_in_words_of_json(problem), MAX_SENTENCE),
        }
        for problem in problems[:MAX_DETAIL]
    ]


def sentence_of(detail: list[dict[str, Any]]) -> str:
    """Return the first entry of a refusal's `detail` as a sentence that names the field."""
    first = detail[0]
    if first["type"] == "json_invalid":
        return f"The body is not valid JSON: {first['msg'].partition(': ')[2]}, at character {first['loc'][1] + 1}."
    place = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
    return f"The request is not valid: {place}: {first['msg'].rstrip('.')}."


def _excerpt(part: int | str, characters: int = MAX_NAME) -> int | str:
    """Return a part of the path to a field, or a sentence, cut to `characters`."""
    return part if isinstance(part, int) or len(part) <= characters else f"{part[:characters]}..."


def _in_words_of_json(problem: Mapping[str, Any]) -> str:
    """Return what is wrong with a field, where Pydantic speaks of Python."""
    match problem["type"]:
        case "json_invalid":
            return f"JSON decode error: {problem['ctx']['error']}"  # one of the decoder's own sentences
        case "dict_type" | "model_type" | "model_attributes_type":
            return "Input should be an object"
        case "tuple_type":
            return "Input should be a list"
    sentence: str = problem["msg"]
    return sentence.removeprefix("Value error, ")
