"""What runs inside Lambda: from Spotify to raw objects, from these to tables, from tables to views."""
