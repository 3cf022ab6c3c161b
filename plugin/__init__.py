"""The pipeline as a package for programs in any of Pulumi's languages."""
