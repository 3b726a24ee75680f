def course_order(needs):
    """
    needs maps each course to the list of courses that must come before it. Return a list of all courses in an
    order that is possible, or None when there is no such order. For example, course_order({"algebra": [],
    "physics": ["algebra"]}) is ["algebra", "physics"].
    """
    # BEGIN SOLUTION
    order = []
    waiting = dict(needs)
    while waiting:
        ready = [course for course, before in waiting.items() if all(other in order for other in before)]
        if not ready:
            return None
        for course in ready:
            order.append(course)
            del waiting[course]
    return order
