"""The journey language: YAML text to values and back, with errors that name line, column, what was expected and a hint."""
