"""What a node keeps on disk, shared by its worker processes."""
