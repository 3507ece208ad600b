"""Files of people and of bookings."""
