"""OCI image layouts, blobs and indexes."""
