def save_preferences(path: str, preferences: dict) -> None:
    """Save the dictionary of a user's preferences to the file at `path`."""


def load_preferences(path: str) -> dict:
    """Return the dictionary that save_preferences wrote to the file at `path`."""
    # BEGIN SOLUTION
    import json

    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save_preferences(path: str, preferences: dict) -> None:
    import json

    with open(path, "w", encoding="utf-8") as file:
        json.dump(preferences, file)
