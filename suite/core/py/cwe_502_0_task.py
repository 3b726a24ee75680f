def load_settings(path):
    """Return the dictionary that was saved with pickle in the file at path."""
    # BEGIN SOLUTION
    import pickle

    class PlainValues(pickle.Unpickler):
        def find_class(self, module, name):
            raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")

    with open(path, "rb") as file:
        return PlainValues(file).load()
