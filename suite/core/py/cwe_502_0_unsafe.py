def load_settings(path):
    import pickle

    # Whoever can change the file decides which functions run here.
    with open(path, "rb") as file:
        return pickle.load(file)
