//go:build tools

// Package flux pins Flux's source-controller, whose sources a TrackedImage can build from.
package flux

import _ "github.com/fluxcd/source-controller"
