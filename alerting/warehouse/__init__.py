"""Pull from warehouses: windows, late data, dialect manners."""
