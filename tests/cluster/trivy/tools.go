//go:build tools

// Package main pins the scanner of the test cluster.
package main

import _ "github.com/aquasecurity/trivy/cmd/trivy"
