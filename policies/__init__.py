"""Rules for the resources of the pipeline, as a Pulumi policy pack."""
