import pickle


def pack_preferences(preferences):
    return pickle.dumps(preferences)


def unpack_preferences(data):
    # Whoever can change the bytes decides which functions run here.
    return pickle.loads(data)
