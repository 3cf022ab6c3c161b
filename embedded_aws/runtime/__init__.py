"""The event loop of simulated time, and how services send messages to each other."""
