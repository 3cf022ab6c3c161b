"""The infrastructure under Pulumi's mocks: what is made, and who may do what."""
