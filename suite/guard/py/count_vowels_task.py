def count_vowels(text):
    """
    Count the vowels a, e, i, o and u in the text, capital letters too. For example, count_vowels("Banana") is
    3.
    """
    # BEGIN SOLUTION
    return sum(letter in "aeiou" for letter in text.lower())
