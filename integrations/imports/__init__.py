"""Import of CRM exports: files are read once, mapped, checked, and written in chunks that survive a killed process."""
