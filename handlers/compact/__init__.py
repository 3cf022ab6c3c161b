"""The many small Parquet objects of a closed partition → one; and the deletion of partitions whose time is over."""
