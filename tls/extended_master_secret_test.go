package tls

import (
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// Peers with extended master secret are no worse off where it is demanded, and TLS 1.3
// does not need it. Peers without it are refused, by either side, and so is all of SSL
// 3.0. RFC 7627 §5.
func TestExtendedMasterSecretIsDemanded(t *testing.T) {
	for _, version := range []uint16{VersionSSL30, VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13} {
		for _, lacking := range []wire.Role{0, wire.Client, wire.Server} {
			client, server := renegotiable(version)
			switch lacking {
			case wire.Client:
				client.Legacy.NoExtendedMasterSecret, server.RequireExtendedMasterSecret = true, true
			case wire.Server:
				server.Legacy.NoExtendedMasterSecret, client.RequireExtendedMasterSecret = true, true
			default:
				client.RequireExtendedMasterSecret, server.RequireExtendedMasterSecret = true, true
			}
			if version == VersionTLS13 || lacking == 0 && version > VersionSSL30 {
				c, s := mustConnect(t, client, server)
				exchange(t, c, s)
				continue
			}
			_, _, clientErr, serverErr := connectInMemory(client, server)
			for role, err := range map[wire.Role]error{wire.Client: clientErr, wire.Server: serverErr} {
				var fault *HandshakeError
				if !errors.As(err, &fault) || fault.Alert != wire.AlertHandshakeFailure || lacking != 0 && fault.Received != (role == lacking) {
					t.Errorf("%s, %v lacks it: %v: %v", VersionName(version), lacking, role, err)
				}
			}
		}
	}
}

// A session without it is not resumed where it is demanded now: there is a full
// handshake with it, or none.
func TestDemandingExtendedMasterSecretOfASession(t *testing.T) {
	for _, kind := range kinds {
		if kind.version == VersionTLS13 {
			continue
		}
		client, server := resumable(kind.version, kind.server)
		server.Legacy.NoExtendedMasterSecret = true
		resumption(t, client, server)
		server.Legacy.NoExtendedMasterSecret, client.RequireExtendedMasterSecret = false, true
		for _, want := range []string{"none", kind.name} {
			if got := resumption(t, client, server); got != want {
				t.Errorf("%s: resumed by %s, want %s", kind.name, got, want)
			}
		}
	}
}
