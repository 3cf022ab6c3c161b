"""Terraform and its AWS provider, which deploy a pipeline with none of this project's names."""
