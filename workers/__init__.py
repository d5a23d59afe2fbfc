"""Processes without HTTP: the embedded servers, the scheduler, the workers and their jobs."""
