"""HTTP and command line: the only place where everything is put together."""
