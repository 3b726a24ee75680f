def reachable(graph, start):
    """
    A graph is a dict from each node to the list of nodes that its arrows lead to. Return the sorted list of
    all nodes that can be reached from the start, the start included. For example, reachable({"a": ["b"], "b":
    [], "c": ["a"]}, "a") is ["a", "b"].
    """
    # BEGIN SOLUTION
    found = {start}
    waiting = [start]
    while waiting:
        for node in graph[waiting.pop()]:
            if node not in found:
                found.add(node)
                waiting.append(node)
    return sorted(found)
