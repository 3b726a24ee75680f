def robot_position(commands):
    """
    A robot starts at (0, 0) and looks north. "F" moves it one step forward, "L" turns it left and "R" turns
    it right. Return its last place as (x, y), where x grows to the east and y to the north. For example,
    robot_position("FFRF") is (1, 2).
    """
    # BEGIN SOLUTION
    x = y = 0
    east, north = 0, 1
    for command in commands:
        if command == "F":
            x, y = x + east, y + north
        elif command == "L":
            east, north = -north, east
        else:
            east, north = north, -east
    return (x, y)
