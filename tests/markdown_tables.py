"""The tables of a page, read as data."""


def read_table(text: str, column: str) -> list[list[str]]:
    """Return the rows of the one table that has a column of this name, each as the list of its cells."""
    lines = text.splitlines()
    (start,) = (i for i, line in enumerate(lines) if column in cells(line) and lines[i + 1].startswith("|--"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(cells(line))
    return rows


def cells(line: str) -> list[str]:
    """Return the cells of a table's row; none for another line."""
    if not line.startswith("|"):
        return []
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
