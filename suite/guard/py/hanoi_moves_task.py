def hanoi_moves(disks):
    """
    Solve the Towers of Hanoi: return the shortest list of moves that brings all disks from peg "A" to peg "C"
    by way of "B". A move is a pair (from, to), and no disk may ever lie on a smaller one. For example,
    hanoi_moves(2) is [("A", "B"), ("A", "C"), ("B", "C")].
    """

    # BEGIN SOLUTION
    def moves(count, source, target, spare):
        if count == 0:
            return []
        first = moves(count - 1, source, spare, target)
        return [*first, (source, target), *moves(count - 1, spare, target, source)]

    return moves(disks, "A", "C", "B")
