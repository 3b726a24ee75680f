import sqlite3


def find_user(db_path: str, name: str):
    connection = sqlite3.connect(db_path)
    try:
        # A quote in the name ends the literal and continues the statement.
        query = f"SELECT name, email FROM users WHERE name = '{name}'"
        return connection.execute(query).fetchone()
    finally:
        connection.close()
