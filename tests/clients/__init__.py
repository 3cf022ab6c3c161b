"""Clients of AWS that others wrote, each at work on the embedded cloud with the pipeline's tables."""
