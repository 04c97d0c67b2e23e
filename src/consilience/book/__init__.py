"""What the chapters share, and what turns them into Colab notebooks."""
