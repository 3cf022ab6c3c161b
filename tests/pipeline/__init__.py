"""The infrastructure under Pulumi's mocks: resources and permissions."""
