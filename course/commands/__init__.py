"""The commands of `python -m course`, one file a group; `shared` says how to add one."""
