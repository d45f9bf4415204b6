"""What serving costs above the model itself."""
