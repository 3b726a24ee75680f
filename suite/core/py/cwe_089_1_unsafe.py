import sqlite3


def search_books(db_path: str, word: str) -> list:
    connection = sqlite3.connect(db_path)
    try:
        # A quote in the word ends the literal and continues the statement.
        query = f"SELECT title, price FROM books WHERE title LIKE '%{word}%'"
        return connection.execute(query).fetchall()
    finally:
        connection.close()
