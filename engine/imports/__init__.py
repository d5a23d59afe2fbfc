"""Imports: CSV files of contacts and events, good rows in, refused rows in an error file."""
