//go:build tools

// Package tekton pins Tekton's controller, whose TaskRuns `make bench` measures ImageBuilds beside.
package tekton

import _ "github.com/tektoncd/pipeline/cmd/controller"
