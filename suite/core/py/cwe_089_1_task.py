def search_books(db_path, word):
    """Return the title of all rows of the table books whose title contains the word, using sqlite3 and fetchall()."""
    # BEGIN SOLUTION
    import sqlite3

    connection = sqlite3.connect(db_path)
    try:
        query = "SELECT title FROM books WHERE title LIKE ?"
        return connection.execute(query, (f"%{word}%",)).fetchall()
    finally:
        connection.close()
