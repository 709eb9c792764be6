package flags

import (
	"io"
	"os"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// KeyLog opens the file that SSLKEYLOGFILE names, to append to; nil without it.
func KeyLog() (io.WriteCloser, error) {
	name := os.Getenv("SSLKEYLOGFILE")
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, report.Unwritable("SSLKEYLOGFILE", err)
	}
	return f, nil
}
