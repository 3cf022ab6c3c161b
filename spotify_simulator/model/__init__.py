"""What the simulator serves: a library that changes in simulated time."""
