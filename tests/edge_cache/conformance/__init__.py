"""What a shared cache must do, as tables, played against a running edge."""
