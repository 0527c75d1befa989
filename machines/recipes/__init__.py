"""Recipes: one module per machine, each with SUMMARY and build(bench) -> the draft image.

`steps` is what they share; `roots/` holds the files they copy into their machines as they are.
"""
