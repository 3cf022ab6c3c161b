"""Publish Lambda: after a crawl, the tables and columns still missing, then the views."""
