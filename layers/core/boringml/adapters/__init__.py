"""AWS, one file per service: rules and use cases get what they need from here."""
