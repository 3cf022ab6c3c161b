"""The infrastructure: one Pulumi component per stage of the flow, composed by `SpotifyEtlPipeline`."""
