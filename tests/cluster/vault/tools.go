//go:build tools

// Package vault pins Vault, a KMS that the signer signs with in the tests.
package vault

import _ "github.com/hashicorp/vault"
