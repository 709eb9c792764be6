package explain

import (
	"io"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/pcapng"
)

// writeCapture writes a capture of all connections.
func writeCapture(w io.Writer, all []subject, l look) error {
	var accounts []*explain.Connection
	for _, s := range all {
		accounts = append(accounts, s.account)
	}
	return pcapng.Write(w, accounts, pcapng.Options{Secrets: l.secrets})
}
