"""What people wrote down: settings, subscriptions, their loader and schema."""
