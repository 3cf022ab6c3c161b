"""moto behind HTTP, with signatures verified and permissions checked before a request reaches it."""
