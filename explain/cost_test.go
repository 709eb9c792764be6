package explain

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// inShort is who did what, sorted: "client key generation;", once more for each time.
func (c *Cost) inShort() (all []string) {
	for _, o := range c.Operations {
		all = append(all, strings.Repeat(o.By+" "+o.Name+";", o.Count))
	}
	slices.Sort(all)
	return all
}

// exchangeCosts are the operations that a key exchange takes, without what certificates add.
var exchangeCosts = map[wire.Share][]string{
	wire.ShareNone: nil,
	wire.ShareDH:   {"client key agreement;", "client key generation;", "server key agreement;", "server key generation;"},
	wire.ShareEC:   {"client key agreement;", "client key generation;", "server key agreement;", "server key generation;"},
}

// mustCost checks what a full handshake of that exchange cost: nothing is counted twice, and
// nothing is missing.
func (c *Connection) mustCost(t *testing.T, k wire.KeyExchange, version wire.Version) {
	t.Helper()
	share := k.Share()
	if version >= wire.TLS13 {
		share = wire.ShareEC
	}
	want := slices.Clone(exchangeCosts[share])
	if version >= wire.TLS13 { // the client offers a hybrid, of which the server takes both
		want = append(want, "client decapsulation;", "client key generation;", "server encapsulation;")
	}
	if k.Encrypted() {
		want = append(want, "client RSA encryption;", "server RSA decryption;")
	}
	if c.Handshakes[0].ServerCertificate {
		want = append(want, "client certificate verification;")
	}
	if k.Signed() || version >= wire.TLS13 {
		want = append(want, "server signature;", "client verification;")
	}
	slices.Sort(want)
	if got := c.Handshakes[0].Cost.inShort(); !slices.Equal(got, want) {
		t.Errorf("%v in %v, seen from the %s: the operations are %q, want %q", k, version, c.Side, got, want)
	}
	c.mustAddUp(t)
}

// mustAddUp: every byte of the wire is some message's, or that of a record without messages.
func (c *Connection) mustAddUp(t *testing.T) {
	t.Helper()
	wires, costs := map[wire.Role]int{}, map[wire.Role]int{}
	for _, e := range c.Events {
		if r := e.Record; r != nil {
			wires[r.from] += len(r.Wire)
			if r.typ != wire.ContentHandshake || len(r.Carries) == 0 {
				costs[r.from] += len(r.Wire)
			}
		}
		if m := e.Message; m != nil {
			costs[wire.Client] += m.Cost.ClientBytes
			costs[wire.Server] += m.Cost.ServerBytes
			if m.Cost.US < 0 || m.from == wire.Client && m.Cost.ServerBytes != 0 {
				t.Errorf("%s: %+v", m.Name, m.Cost)
			}
		}
	}
	if !maps.Equal(wires, costs) {
		t.Errorf("seen from the %s the wire has %v bytes, and all steps together %v", c.Side, wires, costs)
	}
}

// What a handshake costs follows from what was said in it.
func TestCosts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*pair)
		want   []string // of the operations, in the order of the messages
	}{
		{"plain", func(p *pair) { p.client.CurvePreferences = []tls.CurveID{tls.X25519} },
			[]string{"client key generation (x25519)", "server key generation (x25519)", "server key agreement (x25519)", "client key agreement (x25519)",
				"client certificate verification (ECDSA-SHA256)", "server signature (ecdsa_secp256r1_sha256, ECDSA P-256)", "client verification (ecdsa_secp256r1_sha256, ECDSA P-256)"}},
		{"hybrid", nil,
			[]string{"client key generation (x25519)", "client key generation (ML-KEM-768)", "server key generation (x25519)", "server key agreement (x25519)",
				"server encapsulation (ML-KEM-768)", "client decapsulation (ML-KEM-768)", "client key agreement (x25519)"}},
		{"retry", func(p *pair) {
			p.client.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384}
			p.server.CurvePreferences = []tls.CurveID{tls.CurveP384}
		}, []string{"client key generation (x25519)", "client key generation (secp384r1)", "server key generation (secp384r1)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t)
			if c.change != nil {
				c.change(p)
			}
			client, server := p.connect(t, nil)
			for _, side := range []*Collector{client, server} {
				account := side.Connection(About{})
				account.mustAddUp(t)
				var got []string
				for _, o := range account.Handshakes[0].Cost.Operations {
					got = append(got, o.By+" "+o.Words())
				}
				if len(got) < len(c.want) || !slices.Equal(got[:len(c.want)], c.want) {
					t.Errorf("seen from the %s the operations are %q, want %q first", account.Side, got, c.want)
				}
				if cost := account.Handshakes[0].Cost; cost.US <= 0 || cost.ClientBytes < 200 || cost.ServerBytes < 400 {
					t.Errorf("seen from the %s it cost %+v", account.Side, cost)
				}
			}
		})
	}
}

// A resumption up to TLS 1.2 takes no public-key operation at all; in TLS 1.3 only those of
// the fresh key shares.
func TestCostsOfResumption(t *testing.T) {
	for version, want := range map[uint16][]string{
		tls.VersionTLS12: nil,
		tls.VersionTLS13: {"client key agreement;", "client key generation;", "server key agreement;", "server key generation;"},
	} {
		p := newPairWith(t, devca.RSA)
		p.client.MaxVersion, p.client.CurvePreferences = version, []tls.CurveID{tls.X25519}
		p.connect(t, nil)
		second, _ := p.connect(t, nil)
		account := second.Connection(About{})
		if got := account.Handshakes[0].Cost.inShort(); account.Summary.Resumed == "" || !slices.Equal(got, want) {
			t.Errorf("%s: resumed by %q, the operations are %q, want %q", account.Summary.Version, account.Summary.Resumed, got, want)
		}
		account.mustAddUp(t)
	}
}

// A client that offers the same x25519 key alone and in a hybrid has generated it once.
func TestCostOfSharedKey(t *testing.T) {
	var c Cost
	curve, seen := slices.Repeat([]byte{7}, 32), publicKeys{}
	c.offer(wire.KeyShareEntry{Group: wire.GroupX25519MLKEM768, Share: append(make([]byte, 1184), curve...)}, seen)
	c.offer(wire.KeyShareEntry{Group: wire.GroupX25519, Share: curve}, seen)
	c.offer(wire.KeyShareEntry{Group: wire.GroupSecP256r1MLKEM768, Share: []byte{1}}, seen) // too short to be one
	c.offer(wire.KeyShareEntry{Group: 0x0a0a, Share: []byte{0}}, seen)                      // GREASE
	var got []string
	for _, o := range c.Operations {
		got = append(got, o.Words())
	}
	want := []string{"key generation (x25519)", "key generation (ML-KEM-768)", "key generation (secp256r1)"}
	if got = got[:min(len(got), 3)]; !slices.Equal(got, want) || c.Operations[0].Count != 1 {
		t.Errorf("counted %q, want %q", got, want)
	}
}
