"""What pages about reviews draw."""
