package folder_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vitrine-tls/vitrine/tracefile/folder"
)

func ExampleFolder_Add() {
	dir, err := os.MkdirTemp("", "traces")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	f, err := folder.Open(dir, 100, 8<<20)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	name, err := f.Add(at, "192.0.2.7:50123", []byte("{}\n"))
	fmt.Println(filepath.Base(name), err)
	// Output: 20260504T030201.000000Z_192.0.2.7_50123.ndjson <nil>
}
