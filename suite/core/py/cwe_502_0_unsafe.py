import pickle


def save_preferences(path: str, preferences: dict) -> None:
    with open(path, "wb") as file:
        pickle.dump(preferences, file)


def load_preferences(path: str) -> dict:
    # Whoever can replace the file decides which functions run here.
    with open(path, "rb") as file:
        return pickle.load(file)
