package tls

import (
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// hellosOnly fails the test if a server with these hooks receives more of a client
// than its ClientHello.
func hellosOnly(t *testing.T) *trace.Hooks {
	return &trace.Hooks{Message: func(e trace.Message) {
		if got := wire.HandshakeType(e.Raw[0]); e.Dir == trace.Received && got != wire.TypeClientHello {
			t.Errorf("the server got the client's %v", got)
		}
	}}
}

// A client that does not approve of the server shows it neither certificate nor
// Finished, in no version.
func TestVerifyConnectionComesBeforeOurCertificate(t *testing.T) {
	p := testPKI()
	for _, version := range []uint16{VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13} {
		t.Run(VersionName(version), func(t *testing.T) {
			client, server := p.client(), p.server("ecdsa-p256")
			at(version, client, server)
			if version < VersionTLS12 {
				client.CipherSuites = []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
				server.CipherSuites = client.CipherSuites
			}
			server.ClientAuth = RequestClientCert
			client.Certificates = []Certificate{p.certs["ecdsa-p256"]}
			asked := 0
			client.VerifyConnection = func(cs ConnectionState) error {
				asked++
				_, err := cs.ExportKeyingMaterial("label", nil, 10)
				if keyed := version == VersionTLS13; keyed != (err == nil) || cs.TLSUnique != nil {
					t.Errorf("exported with %v, tls-unique %x", err, cs.TLSUnique)
				}
				if len(cs.PeerCertificates) == 0 || len(cs.VerifiedChains) == 0 || cs.Version != version || cs.CipherSuite == 0 {
					t.Errorf("decided by %+v", cs)
				}
				return errMine
			}
			server.Trace = hellosOnly(t)
			_, _, clientErr, serverErr := connectInMemory(client, server)
			var fault *HandshakeError
			if !errors.Is(clientErr, errMine) || !errors.As(serverErr, &fault) || !fault.Received || asked != 1 {
				t.Errorf("asked %d times; client: %v; server: %v", asked, clientErr, serverErr)
			}
		})
	}
}

// The same where a session is resumed: the server's Finished has come, ours has not gone.
func TestVerifyConnectionComesBeforeOurFinished(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			client, server := resumable(kind.version, kind.server)
			resumption(t, client, server)
			asked := 0
			client.VerifyConnection = func(cs ConnectionState) error {
				asked++
				if _, err := cs.ExportKeyingMaterial("label", nil, 10); err != nil || !cs.DidResume {
					t.Errorf("resumed: %v; exported with %v", cs.DidResume, err)
				}
				return errMine
			}
			server.Trace = hellosOnly(t)
			if _, _, clientErr, serverErr := connectInMemory(client, server); !errors.Is(clientErr, errMine) || serverErr == nil || asked != 1 {
				t.Errorf("asked %d times; client: %v; server: %v", asked, clientErr, serverErr)
			}
		})
	}
}

// While a Finished may still be to come there is nothing to bind a connection to, and nothing that looks like it.
func TestVerifyConnectionHasNoTLSUnique(t *testing.T) {
	p := testPKI()
	client, server := p.client(), p.server("ecdsa-p256")
	at(VersionTLS12, client, server)
	asked := 0
	server.VerifyConnection = func(cs ConnectionState) error {
		if asked++; cs.TLSUnique != nil {
			t.Errorf("tls-unique is %x", cs.TLSUnique)
		}
		return nil
	}
	if _, _, clientErr, serverErr := connectInMemory(client, server); clientErr != nil || serverErr != nil || asked != 1 {
		t.Errorf("asked %d times; %v, %v", asked, clientErr, serverErr)
	}
}
