"""What a training minimizes; pure functions of (model, batch), one file an objective."""
