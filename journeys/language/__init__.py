"""The journey language: YAML text to values, with errors that name line, column and a hint."""
