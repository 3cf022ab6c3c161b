"""Lambda: functions in processes of their own, asynchronous invocations and event source mappings."""
