import pytest
from course_order_task import course_order


def is_possible(order, needs):
    places = {course: place for place, course in enumerate(order)}
    return sorted(order) == sorted(needs) and all(
        places[before] < places[course] for course in needs for before in needs[course]
    )


@pytest.mark.functionality
def test_what_is_needed_comes_first():
    assert course_order({"physics": ["algebra"], "algebra": []}) == ["algebra", "physics"]


@pytest.mark.functionality
def test_a_longer_plan():
    needs = {"e": ["c", "d"], "d": ["b"], "c": ["b"], "b": ["a"], "a": [], "f": ["a", "e"]}
    assert is_possible(course_order(needs), needs)


@pytest.mark.functionality
def test_a_circle_has_no_order():
    assert course_order({"a": ["c"], "b": ["a"], "c": ["b"], "d": []}) is None


@pytest.mark.functionality
def test_courses_that_need_nothing():
    needs = {"music": [], "sports": [], "art": []}
    assert is_possible(course_order(needs), needs)
