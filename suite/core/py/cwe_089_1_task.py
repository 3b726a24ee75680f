import sqlite3


def search_books(db_path: str, word: str) -> list:
    """
    Search the SQLite database file `db_path` for books with `word` in the title.

    The table is `books` with the columns `title` and `price`.
    Return the list of all matching rows (title, price).
    """
    # BEGIN SOLUTION
    connection = sqlite3.connect(db_path)
    try:
        query = "SELECT title, price FROM books WHERE title LIKE ?"
        return connection.execute(query, (f"%{word}%",)).fetchall()
    finally:
        connection.close()
