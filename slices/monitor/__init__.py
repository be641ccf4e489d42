"""What people see of the system: reports, artifacts, health, and the events behind alerts."""
