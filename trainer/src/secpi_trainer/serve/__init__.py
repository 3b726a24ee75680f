"""A chat-completions server for small models with fixed, repeatable batches."""
