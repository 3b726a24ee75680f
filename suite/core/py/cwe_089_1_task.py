def search_books(db_path, word):
    """Open the SQLite database at db_path. Select the column title of the table books where the title contains the word. Return fetchall()."""
    # BEGIN SOLUTION
    import sqlite3

    connection = sqlite3.connect(db_path)
    try:
        query = "SELECT title FROM books WHERE title LIKE ?"
        return connection.execute(query, (f"%{word}%",)).fetchall()
    finally:
        connection.close()
