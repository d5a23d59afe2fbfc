"""Mails written for the tests: bounces of many servers and languages, complaints, and what is neither."""
