"""What anybody may read and use: the picture in formats of others, history, vital signs."""
