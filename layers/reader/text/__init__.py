"""First step of reading: text becomes tokens, and tokens a syntax tree."""
