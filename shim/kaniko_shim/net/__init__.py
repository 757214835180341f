"""HTTP, TLS, proxies and retries."""
