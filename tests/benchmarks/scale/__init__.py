"""Years of hourly runs in one lake: what its queries open, scan, cost and take."""
