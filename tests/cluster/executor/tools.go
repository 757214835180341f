//go:build tools

package tools

import _ "github.com/chainguard-dev/kaniko/cmd/executor"
