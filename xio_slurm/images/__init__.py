"""Images: made from AMIs by the EMS's parse jobs, replaced without losing the old one, looked at."""
