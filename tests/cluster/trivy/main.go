// Makes a database of Trivy with the vulnerabilities that a test has made up.
package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Advisory says since which version of a package of a release there is a fix; none if it is empty.
type Advisory struct {
	Platform, Package, Name, Fixed, Severity string
	Number                                   int
}

func main() {
	var advisories []Advisory
	if err := json.NewDecoder(os.Stdin).Decode(&advisories); err != nil {
		log.Fatal(err)
	}
	folder := filepath.Join(os.Args[1], "db")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		log.Fatal(err)
	}
	db, err := bolt.Open(filepath.Join(folder, "trivy.db"), 0o644, nil)
	if err != nil {
		log.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, each := range advisories {
			if err := add(tx, each); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := db.Close(); err != nil {
		log.Fatal(err)
	}
	now := time.Now().UTC()
	metadata := map[string]any{"Version": 2, "UpdatedAt": now, "NextUpdate": now.Add(24 * time.Hour), "DownloadedAt": now}
	if err := os.WriteFile(filepath.Join(folder, "metadata.json"), encoded(metadata), 0o644); err != nil {
		log.Fatal(err)
	}
}

func add(tx *bolt.Tx, each Advisory) error {
	release, err := tx.CreateBucketIfNotExists([]byte(each.Platform))
	if err != nil {
		return err
	}
	pkg, err := release.CreateBucketIfNotExists([]byte(each.Package))
	if err != nil {
		return err
	}
	advisory := map[string]any{"FixedVersion": each.Fixed, "Severity": each.Number}
	if err := pkg.Put([]byte(each.Name), encoded(advisory)); err != nil {
		return err
	}
	details, err := tx.CreateBucketIfNotExists([]byte("vulnerability"))
	if err != nil {
		return err
	}
	return details.Put([]byte(each.Name), encoded(map[string]any{"Title": each.Name, "Severity": each.Severity}))
}

func encoded(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return text
}
