"""The cluster's signer: signs what the API server says of a build, with a key that no namespace of builds has."""
