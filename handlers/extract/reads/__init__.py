"""From pages of the Web API to raw objects: the kinds of read and the state they keep."""
