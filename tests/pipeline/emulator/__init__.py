"""Amazon's emulator of Lambda's runtime interface; go.mod pins its version, go.sum the hash of every module of it."""
