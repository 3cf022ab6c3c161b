"""The report: one HTML file with a person's listening, made from named queries."""
