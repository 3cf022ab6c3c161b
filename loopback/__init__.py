"""HTTP servers on the loopback interface, which only programs of this machine may talk to."""
