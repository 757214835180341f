//go:build tools

// Package tools pins the version of runc.
package tools

import (
	_ "github.com/opencontainers/runc"
)
