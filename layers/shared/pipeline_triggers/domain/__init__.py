"""What a trigger means: pure rules, without AWS, clock or environment."""
