package tls

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// Where a refusal is to be fatal, the connection ends for both.
func TestRenegotiationIsRefusedFatally(t *testing.T) {
	for _, role := range bothRoles {
		client, server := renegotiable(VersionTLS12)
		peer := server
		if role == wire.Server {
			peer = client
		}
		peer.Renegotiation, peer.Renegotiate = RenegotiateNever, Renegotiate{RefuseFatally: true}
		c, s := open(t, "TCP", client, server)
		asking, refusing := of(role, c, s)
		failed := make(chan error, 1)
		go func() { _, err := io.Copy(io.Discard, refusing); failed <- err }()
		refused := bounded(t, asking.Renegotiate)
		if refused == ErrNoRenegotiation {
			t.Fatalf("%v: it was no more than a warning", role)
		}
		for name, err := range map[string]error{"who asks": refused, "who refuses": <-failed} {
			var fault *HandshakeError
			if !errors.As(err, &fault) || fault.Alert != wire.AlertNoRenegotiation || fault.Received != (name == "who asks") {
				t.Errorf("%v, %s: %v", role, name, err)
			}
		}
	}
}

// Peers that know RFC 5746 are no worse off where it is demanded, and TLS 1.3, which
// has no renegotiation, does not need it.
func TestRFC5746IsDemanded(t *testing.T) {
	for _, version := range []uint16{VersionSSL30, VersionTLS10, VersionTLS12, VersionTLS13} {
		client, server := renegotiable(version)
		client.Renegotiate.RequireSecure, server.Renegotiate.RequireSecure = true, true
		c, s := mustConnect(t, client, server)
		exchange(t, c, s)
	}
}

// While a renegotiation is under way, nothing is exported: which keys the peer would
// take is not known. Before and after, it is.
func TestNothingIsExportedDuringARenegotiation(t *testing.T) {
	own, peer, v := halfway(t, wire.Client, nil)
	go io.Copy(io.Discard, peer)
	export := func() error {
		cs := own.ConnectionState()
		_, err := cs.ExportKeyingMaterial("label", nil, 16)
		return err
	}
	if err := export(); err != nil {
		t.Error(err)
	}
	v.set(1)
	done := make(chan error, 1)
	go func() { done <- own.Renegotiate(t.Context()) }()
	within(t, 5*time.Second, "the renegotiation", func() {
		for own.renegotiations.current.Load() == nil {
		}
	})
	if err := export(); err == nil || !strings.Contains(err.Error(), "during a renegotiation") {
		t.Errorf("during the renegotiation: %v", err)
	}
	v.set(-1)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := export(); err != nil {
		t.Error(err)
	}
}

// A renegotiation keeps what was stapled to the certificate that it keeps.
func TestRenegotiationKeepsTheStaples(t *testing.T) {
	for _, may := range []bool{false, true} {
		client, server := renegotiable(VersionTLS12)
		cert := server.Certificates[0]
		n := 0
		server.Certificates = nil
		server.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) {
			n++
			c := cert
			c.OCSPStaple, c.SignedCertificateTimestamps = []byte{byte(n)}, [][]byte{{byte(n)}}
			return &c, nil
		}
		client.Renegotiate.AllowPeerChange = may
		c, s := open(t, "TCP", client, server)
		echoing(t, s)
		if err := bounded(t, c.Renegotiate); err != nil {
			t.Fatal(err)
		}
		want := byte(1)
		if may {
			want = 2
		}
		if cs := c.ConnectionState(); cs.OCSPResponse[0] != want || cs.SignedCertificateTimestamps[0][0] != want || n != 2 {
			t.Errorf("may change: %v, OCSP response %v, timestamps %v", may, cs.OCSPResponse, cs.SignedCertificateTimestamps)
		}
	}
}
