def search_books(db_path, word):
    """With sqlite3.connect(db_path), execute the query that selects title from books where title LIKE "%word%", and return fetchall()."""
    # BEGIN SOLUTION
    import sqlite3

    connection = sqlite3.connect(db_path)
    try:
        query = "SELECT title FROM books WHERE title LIKE ?"
        return connection.execute(query, (f"%{word}%",)).fetchall()
    finally:
        connection.close()
