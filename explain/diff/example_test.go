package diff_test

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diff"
)

// account reads an account as Connection.JSON writes it.
func account(name string) *explain.Connection {
	b, err := os.ReadFile("../testdata/" + name)
	if err != nil {
		panic(err)
	}
	c := new(explain.Connection)
	if err := json.Unmarshal(b, c); err != nil {
		panic(err)
	}
	return c
}

// Say what differs between two connections.
func Example() {
	d := diff.Of(account("rfc8448-simple.json"), account("rfc8448-retry.json"))
	for _, e := range d.Entries {
		if e.Where == "outcome" {
			fmt.Println(e.What, e.A, e.B)
		}
	}
	// Output:
	// group [x25519] [secp256r1]
	// HelloRetryRequest [no] [yes]
	// round trips [1] [2]
	// closed by the client [yes] [no]
	// closed by the server [yes] [no]
}
