"""The ground: the resources as values, their names, reasons and errors. Pure."""
