"""The program under Pulumi's own engine, with a double in place of the AWS provider."""
