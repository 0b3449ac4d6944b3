"""What is true now and was: the live picture, history, tariffs and the web."""
