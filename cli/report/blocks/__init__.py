"""The blocks of the report: each makes the content of one answer."""
