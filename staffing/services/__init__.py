"""What changes people, needs and bookings."""
