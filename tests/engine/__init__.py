"""The program under Pulumi's own engine, with a fake AWS provider."""
