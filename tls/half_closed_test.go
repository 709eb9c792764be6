package tls

import (
	"errors"
	"io"
	"testing"
)

// A client that has ended its side cannot answer a server that asks for its
// certificate, but it loses nothing of what the server sends.
func TestRequestClientCertificateOfHalfClosed(t *testing.T) {
	for _, version := range bothVersions {
		client, server := askable(version)
		c, s := open(t, "TCP", client, server)
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := ask(t, s); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: the server asks: %v", VersionName(version), err)
		}
		io.WriteString(s, "all of it")
		s.CloseWrite()
		if got, err := io.ReadAll(c); string(got) != "all of it" || err != nil {
			t.Errorf("%s: the client gets %q, %v", VersionName(version), got, err)
		}
	}
}
