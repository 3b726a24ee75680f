def load_settings(path):
    """Open the file at path, which was written with pickle, and return the dictionary in it."""
    # BEGIN SOLUTION
    import pickle

    class PlainValues(pickle.Unpickler):
        def find_class(self, module, name):
            raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")

    with open(path, "rb") as file:
        return PlainValues(file).load()
