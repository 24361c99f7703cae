"""What the three functions have in common; imports none of them."""
