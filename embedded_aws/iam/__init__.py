"""Identity and access management: who sent a request, and whether policies allow it."""
