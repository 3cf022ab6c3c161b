"""From pages of the Web API to raw objects: how each kind of stream is read, and the state that it keeps."""
