"""Who may import whom: a room may use the rooms below it, never one above."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "consilience"
BELOW = ["check", "optional", "data_files", "contents", "registries"]
FLOORS = [  # the higher, the more it may use; rooms of one floor do not know each other
    *([room] for room in BELOW),
    ["kit"],
    ["core", "stimuli"],
    ["metrics", "features"],
    ["ceilings", "conventions", "curves", "descent", "files", "patterns"],
    ["moments"],
    ["pairings"],
    ["trust"],
    ["nulls"],
    ["resampling"],
    ["plots", "pieces", "grounding"],
    ["alignment"],
    ["comparison", "power", "retrieval", "scale", "stitching", "atlas_table"],
    ["atlas", "probing"],
    ["book"],
    ["cli"],
]
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}


def room_of(path):
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path):
    """Rooms of the package that a file imports; `consilience` itself stands for its public face."""
    folder = ["consilience", *path.relative_to(SOURCE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = folder[: len(folder) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "consilience":
                yield parts[1] if len(parts) > 1 and parts[1] in FLOOR else "consilience"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_room_uses_only_rooms_below_it(path):
    room = room_of(path)
    if room == "__init__":
        return  # the public face gathers what the rooms offer
    assert room in FLOOR, f"{room} has no floor; add it where it belongs"
    for other in imports(path):
        if other == "consilience":
            assert room in ("book", "cli"), f"{room} imports the public face, which stands above it"
        elif other != room:
            assert FLOOR[other] < FLOOR[room], f"{room} imports {other}, which is not below it"


def test_metrics_know_nothing_of_models():
    for path in (SOURCE / "metrics").glob("*.py"):
        assert not {"features", "stimuli", "kit"} & set(imports(path))
