package proxy

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/authority"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/keyprocess"
	"github.com/vitrine-tls/vitrine/tls"
)

// keysElsewhere starts the process that holds the keys, where process.keys asks for one. load
// is nil where it does not.
func keysElsewhere(c *config.Config, w io.Writer) (load func(cert, key string) (tls.Certificate, error), end func(), err error) {
	if c.Process.Keys != "process" {
		return nil, func() {}, nil
	}
	if err := onlyPEM(c); err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	keys, err := keyprocess.Start(keyprocess.Options{Command: []string{self, "proxy", "keys"}, Sandbox: c.Process.Sandbox, Stderr: w})
	if err != nil {
		return nil, nil, err
	}
	if said := keys.Report(); len(said) > 0 {
		fmt.Fprintln(w, "the key process is hardened: "+strings.Join(said, "; "))
	}
	return keys.Load, func() { keys.Close() }, nil
}

// develop makes a certificate of the development authority, as vitrine serve does.
func develop(names []string) (tls.Certificate, error) {
	ca, err := authority.Open("")
	if err != nil {
		return tls.Certificate{}, err
	}
	certs, err := ca.Certify([]devca.KeyType{devca.ECDSA}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, names)
	if err != nil {
		return tls.Certificate{}, err
	}
	return certs[0], nil
}
