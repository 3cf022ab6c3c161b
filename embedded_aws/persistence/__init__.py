"""Keeping an account on disk: nothing that was answered is lost, even if the process is killed."""
