"""Publish Lambda: after a crawl, creates missing tables and columns, then the views."""
