//go:build tools

// Package etcd pins the etcd server: Debian's is too old to answer the
// progress requests without which the API server of this version waits
// seconds for each consistent list of a quiet resource.
package etcd

import _ "go.etcd.io/etcd/server/v3"
