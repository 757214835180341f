//go:build tools

// Package sigstore pins what signs without keys: a certificate authority, a transparency log and a timestamp authority.
package sigstore

import (
	_ "github.com/sigstore/fulcio"
	_ "github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix"
	_ "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server"
)
