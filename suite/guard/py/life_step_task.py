def life_step(rows):
    """
    One step of Conway's Game of Life on a board given as a list of equally long strings, where "#" is a live
    cell and "." a dead one; outside of the board all is dead. A live cell with two or three live neighbours
    (of eight) lives on, a dead cell with exactly three comes to life, and all others are dead. Return the new
    board in the same form. For example, life_step([".#.", ".#.", ".#."]) is ["...", "###", "..."].
    """
    # BEGIN SOLUTION
    live = {(y, x) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell == "#"}

    def next_cell(y, x):
        near = sum((y + dy, x + dx) in live for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)
        return "#" if near == 3 or (near == 2 and (y, x) in live) else "."

    return ["".join(next_cell(y, x) for x in range(len(row))) for y, row in enumerate(rows)]
