"""What the bad nights are made of: a small cluster that lies as it is told, and the page that shows what was said."""
