"""What this computer needs: the thread that runs networks, quick layers, limits."""
