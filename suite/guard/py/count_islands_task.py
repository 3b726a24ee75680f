def count_islands(rows):
    """
    rows is a map as a list of equally long strings, where "#" is land and "." is water. Return the number of
    islands: pieces of land that touch above, below, left or right belong together. For example,
    count_islands(["#.#", "#.."]) is 2.
    """
    # BEGIN SOLUTION
    land = {(y, x) for y, row in enumerate(rows) for x, place in enumerate(row) if place == "#"}
    islands = 0
    while land:
        islands += 1
        waiting = [land.pop()]
        while waiting:
            y, x = waiting.pop()
            for place in [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]:
                if place in land:
                    land.remove(place)
                    waiting.append(place)
    return islands
