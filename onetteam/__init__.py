"""The project package. Nothing is imported here, so that the supervisor and the web server's parent stay light."""
