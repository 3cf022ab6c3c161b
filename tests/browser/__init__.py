"""What pages in a real browser can do to the servers of the embedded cloud: nothing."""
