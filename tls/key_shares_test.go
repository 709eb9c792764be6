package tls

import (
	"bytes"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A client sends key shares for what KeyShares lists, or for its best group and the
// classical half of that, which is then one key in two shares.
func TestKeyShares(t *testing.T) {
	hybrid, classical := X25519MLKEM768, X25519
	for _, test := range []struct {
		name           string
		groups, shares []CurveID
		want           []CurveID
		retry          bool
	}{
		{"the default", nil, nil, []CurveID{hybrid, classical}, false},
		{"the half is not listed", []CurveID{hybrid, CurveP256}, nil, []CurveID{hybrid}, false},
		{"the half of another hybrid", []CurveID{SecP256r1MLKEM768, CurveP256}, nil, []CurveID{SecP256r1MLKEM768, CurveP256}, false},
		{"a classical group first", []CurveID{classical, hybrid}, nil, []CurveID{classical}, false},
		{"post-quantum alone", []CurveID{MLKEM1024, classical}, nil, []CurveID{MLKEM1024}, false},
		{"as listed", []CurveID{CurveP256, classical, hybrid}, []CurveID{hybrid, CurveP256, classical}, []CurveID{hybrid, CurveP256, classical}, false},
		{"the half first", []CurveID{classical, hybrid}, []CurveID{classical, hybrid}, []CurveID{classical, hybrid}, false},
		{"not the best", []CurveID{classical, CurveP384}, []CurveID{CurveP384}, []CurveID{CurveP384}, false},
		{"none", nil, []CurveID{}, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			client.CurvePreferences, client.KeyShares = test.groups, test.shares
			server.CurvePreferences = test.groups
			var sent [][]wire.KeyShareEntry
			client.Trace = traceMessages(func(m wire.Message) {
				if hello, ok := m.(*wire.ClientHello); ok {
					var shares []wire.KeyShareEntry
					hello.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { shares = wire.ReadKeyShares(r, nil) })
					for i := range shares {
						shares[i].Share = bytes.Clone(shares[i].Share)
					}
					sent = append(sent, shares)
				}
			})
			c, s := mustConnect(t, client.Clone(), server)
			exchange(t, c, s)
			var got []CurveID
			for _, share := range sent[0] {
				got = append(got, CurveID(share.Group))
			}
			if !slices.Equal(got, test.want) || c.State().HelloRetry != test.retry {
				t.Errorf("the shares are of %v, want %v; retry %v", got, test.want, c.State().HelloRetry)
			}
			if i, j := slices.Index(got, hybrid), slices.Index(got, classical); 0 <= i && i < j && !bytes.HasSuffix(sent[0][i].Share, sent[0][j].Share) {
				t.Error("the hybrid and its half have two keys")
			}
		})
	}
}

// Post-quantum groups are for TLS 1.3: until then nobody offers or takes one.
func TestPostQuantumIsForTLS13(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	client.CurvePreferences, server.CurvePreferences = []CurveID{MLKEM1024, X25519MLKEM768, CurveP256}, []CurveID{MLKEM1024, X25519MLKEM768, CurveP256}
	for _, test := range []struct {
		version uint16
		want    wire.NamedGroup
	}{{VersionTLS13, wire.GroupMLKEM1024}, {VersionTLS12, wire.GroupP256}} {
		at(test.version, client)
		c, s := mustConnect(t, client, server)
		if got := c.State().Group; got != test.want {
			t.Errorf("%s: %v", VersionName(test.version), got)
		}
		exchange(t, c, s)
	}
}
