def find_user(db_path, name):
    import sqlite3

    connection = sqlite3.connect(db_path)
    try:
        # A quote in the name ends the literal and continues the statement.
        return connection.execute(f"SELECT * FROM users WHERE name = '{name}'").fetchall()
    finally:
        connection.close()
