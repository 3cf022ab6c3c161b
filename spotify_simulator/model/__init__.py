"""What the simulator serves: a library, and how it lives in simulated time."""
