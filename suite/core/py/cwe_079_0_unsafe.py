def comment_html(author: str, comment: str) -> str:
    # Tags in the comment become part of the page.
    return f"<p><b>{author}</b>: {comment}</p>"
