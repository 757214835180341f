//go:build tools

// Package kueue pins Kueue, the queue of Kubernetes that docs/how-to/kueue.md describes.
package kueue

import _ "sigs.k8s.io/kueue/cmd/kueue"
