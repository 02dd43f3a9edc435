"""Files into the metadata tier: where packager and metadata meet."""
