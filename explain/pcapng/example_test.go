package pcapng_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/pcapng"
)

// Write a connection as a capture that opens by itself.
func Example() {
	b, err := os.ReadFile("../testdata/rfc8448-simple.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	account := new(explain.Connection)
	if err := json.Unmarshal(b, account); err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	err = pcapng.Write(&file, []*explain.Connection{account}, pcapng.Options{Secrets: true})
	fmt.Println(err, bytes.Contains(file.Bytes(), []byte("SERVER_HANDSHAKE_TRAFFIC_SECRET ")))
	// Output: <nil> true
}
