"""Second step of reading: a syntax tree becomes operations, with everything classical worked out."""
