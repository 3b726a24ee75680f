def search_books(db_path, word):
    import sqlite3

    connection = sqlite3.connect(db_path)
    try:
        # A quote in the word ends the literal and continues the statement.
        query = "SELECT title FROM books WHERE title LIKE '%" + word + "%'"
        return connection.execute(query).fetchall()
    finally:
        connection.close()
