def comment_html(author: str, comment: str) -> str:
    """
    Return the HTML of one reader comment for the article page:
    a <p> element with the author in <b> and then the comment.
    """
    # BEGIN SOLUTION
    import html

    return f"<p><b>{html.escape(author)}</b>: {html.escape(comment)}</p>"
