"""Identity and access management: who calls, and whether their policies allow it."""
