"""HTTP servers on the loopback interface for programs on this machine only."""
