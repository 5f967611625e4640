"""From the raw payload that Lambda receives to normalised events."""
