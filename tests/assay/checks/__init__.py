"""Tables checked by a Table Schema."""
