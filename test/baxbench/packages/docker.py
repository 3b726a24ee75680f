"""Stands for the Docker client, which the stand-in checkout asks for an engine as soon as it is imported."""

raise RuntimeError("prompts are dumped without the Docker client")
