def load_settings(path):
    """Import pickle, open path with "rb" and return the loaded dictionary."""
    # BEGIN SOLUTION
    import pickle

    class PlainValues(pickle.Unpickler):
        def find_class(self, module, name):
            raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")

    with open(path, "rb") as file:
        return PlainValues(file).load()
