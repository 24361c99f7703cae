"""template.yaml: what it grants, wires and asks for. Nothing is deployed."""
