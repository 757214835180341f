"""Instructions that change the image's configuration or variables, written so that an executor reads them as Docker."""
