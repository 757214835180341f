//go:build tools

// Package tools pins the two commands of BuildKit that `make truth` builds images with.
package tools

import (
	_ "github.com/moby/buildkit/cmd/buildctl"
	_ "github.com/moby/buildkit/cmd/buildkitd"
)
