"""Options and steps that commands share."""
