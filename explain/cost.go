package explain

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/wire"
)

// Cost is what a message, or a run of the handshake, took.
type Cost struct {
	// US is a time in microseconds as the traced side saw it: of a message since the message
	// before it, of a handshake from its first message to its last.
	US int64 `json:"us"`
	// ClientBytes and ServerBytes are what that side put on the wire for it, with headers,
	// padding and MACs. A message has its share of the records that carried it; a
	// handshake has its messages, and its change_cipher_spec records.
	ClientBytes int `json:"client_bytes"`
	ServerBytes int `json:"server_bytes"`
	// Operations are what both sides computed to make it and to use it, as far as that
	// follows from what was said. A side may have done less: it kept a key from an
	// earlier connection, did not verify, or gave up. Answers about revocation are not counted.
	Operations []Operation `json:"operations"`
}

// Operation is a kind of public-key operation, and how often a side did it.
type Operation struct {
	By string `json:"by"`
	// Name is "key generation", "key agreement", "encapsulation", "decapsulation", "RSA
	// encryption", "RSA decryption", "signature", "verification" or, for a signature of an
	// authority, "certificate verification".
	Name string `json:"name"`
	// With is the group or the signature's algorithm, and Key the key where that adds to it.
	With  string `json:"with,omitempty"`
	Key   string `json:"key,omitempty"`
	Count int    `json:"count"`
}

// Words say what was done: "2 verifications (ecdsa_secp256r1_sha256, ECDSA P-256)".
func (o Operation) Words() string {
	did := o.Name
	if o.Count > 1 {
		did = words.Count(o.Count, o.Name)
	}
	with := slices.DeleteFunc([]string{o.With, o.Key}, func(s string) bool { return s == "" })
	if len(with) > 0 {
		did += " (" + strings.Join(with, ", ") + ")"
	}
	return did
}

func (c *Cost) did(by wire.Role, name, with, key string) {
	for i := range c.Operations {
		if o := &c.Operations[i]; o.By == by.String() && o.Name == name && o.With == with && o.Key == key {
			o.Count++
			return
		}
	}
	c.Operations = append(c.Operations, Operation{by.String(), name, with, key, 1})
}

func (c *Cost) spent(from wire.Role, bytes int) {
	if from == wire.Client {
		c.ClientBytes += bytes
		return
	}
	c.ServerBytes += bytes
}

// add sums up what a message cost; the time is not a sum.
func (c *Cost) add(m *Cost) {
	c.ClientBytes += m.ClientBytes
	c.ServerBytes += m.ServerBytes
	for _, o := range m.Operations {
		by := wire.Client
		if o.By == wire.Server.String() {
			by = wire.Server
		}
		for range o.Count {
			c.did(by, o.Name, o.With, o.Key)
		}
	}
}

// costs finds what each message and each handshake took.
func (c *Connection) costs() {
	records := map[int]*Record{}
	at := map[*Message]int64{}
	last := int64(0)
	for _, e := range c.Events {
		if r := e.Record; r != nil {
			records[r.Number] = r
		}
		if m := e.Message; m != nil {
			m.Cost = Cost{US: e.AtUS - last, Operations: []Operation{}}
			at[m], last = e.AtUS, e.AtUS
		}
	}
	for m := range at {
		m.Cost.spent(m.from, m.onWire(records))
	}
	for i, hs := range c.handshakes {
		sum := &c.Handshakes[i].Cost
		sum.Operations = []Operation{}
		own := hs.transcript.msgs[hs.transcript.Taken:]
		seen := publicKeys{}
		for _, m := range own {
			hs.operations(m, seen)
			sum.add(&m.Cost)
		}
		if n := len(own); n > 0 {
			sum.US = at[own[n-1]] - at[own[0]]
		}
		for _, e := range c.Events {
			if r := e.Record; r != nil && e.hs == hs && r.typ == wire.ContentChangeCipherSpec && r.Refused == "" {
				sum.spent(r.from, len(r.Wire))
			}
		}
	}
}

// onWire is a message's share of the records that carried it, by its bytes of their content.
func (m *Message) onWire(records map[int]*Record) (n int) {
	for _, p := range m.Pieces {
		if r := records[p.Record]; r != nil && len(r.Plain) > 0 {
			total := len(r.Wire)
			n += total*(p.Offset+p.Length)/len(r.Plain) - total*p.Offset/len(r.Plain)
		}
	}
	return n
}

// publicKeys are those that were offered in a handshake, each with its algorithm's name before it.
type publicKeys map[string]bool

// operations finds what both sides computed for m.
func (hs *handshake) operations(m *Message, seen publicKeys) {
	if m.Malformed != "" {
		return
	}
	c := &m.Cost
	switch p := m.parsed.(type) {
	case *wire.ClientHello:
		_, _ = p.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) {
			for _, s := range wire.ReadKeyShares(r, nil) {
				c.offer(s, seen)
			}
		})
	case *wire.ServerHello:
		if !p.IsRetry() {
			_, _ = p.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { c.agree(wire.ReadKeyShare(r)) })
		}
	case *wire.CompressedCertificate:
		if p := hs.certificate(m.from); p != nil {
			c.verifyChain(m.from.Peer(), p)
		}
	case *wire.Certificate:
		c.verifyChain(m.from.Peer(), p)
	case *wire.ServerKeyExchange:
		if group := groupOf(p); group != "" {
			c.did(wire.Server, "key generation", group, "")
		}
		if p.Signature != nil {
			c.sign(hs, m)
		}
	case *wire.ClientKeyExchange:
		c.exchange(hs)
	case *wire.CertificateVerify:
		c.sign(hs, m)
	}
}

// parts are what a key share is made of: a key on a curve, one of ML-KEM, or both. The
// curve's is length bytes long, and first or last.
// draft-ietf-tls-ecdhe-mlkem.
type parts struct {
	curve, kem string
	length     int
	first      bool
}

var groupParts = map[wire.NamedGroup]parts{
	wire.GroupMLKEM512:           {kem: "ML-KEM-512"},
	wire.GroupMLKEM768:           {kem: "ML-KEM-768"},
	wire.GroupMLKEM1024:          {kem: "ML-KEM-1024"},
	wire.GroupX25519MLKEM768:     {wire.GroupX25519.String(), "ML-KEM-768", 32, false},
	wire.GroupSecP256r1MLKEM768:  {wire.GroupP256.String(), "ML-KEM-768", 65, true},
	wire.GroupSecP384r1MLKEM1024: {wire.GroupP384.String(), "ML-KEM-1024", 97, true},
}

func partsOf(g wire.NamedGroup) parts {
	if p, ok := groupParts[g]; ok {
		return p
	}
	return parts{curve: g.String()}
}

// offer counts the keys that a client generated for a share. One that stood in an earlier
// share, alone or as a part, was not generated again.
func (c *Cost) offer(s wire.KeyShareEntry, seen publicKeys) {
	if wire.IsGREASE(s.Group) {
		return
	}
	p := partsOf(s.Group)
	onCurve, kem := s.Share, s.Share
	if n := min(p.length, len(s.Share)); p.first {
		onCurve, kem = s.Share[:n], s.Share[n:]
	} else if n > 0 {
		onCurve, kem = s.Share[len(s.Share)-n:], s.Share[:len(s.Share)-n]
	}
	for _, key := range []struct {
		name string
		key  []byte
	}{{p.curve, onCurve}, {p.kem, kem}} {
		if id := key.name + " " + string(key.key); key.name != "" && len(key.key) > 0 && !seen[id] {
			seen[id] = true
			c.did(wire.Client, "key generation", key.name, "")
		}
	}
}

// agree counts what a server's share takes: its client has generated its own before.
func (c *Cost) agree(s wire.KeyShareEntry) {
	p := partsOf(s.Group)
	if p.curve != "" {
		c.did(wire.Server, "key generation", p.curve, "")
		c.did(wire.Server, "key agreement", p.curve, "")
	}
	if p.kem != "" {
		c.did(wire.Server, "encapsulation", p.kem, "")
		c.did(wire.Client, "decapsulation", p.kem, "")
	}
	if p.curve != "" {
		c.did(wire.Client, "key agreement", p.curve, "")
	}
}

// exchange counts what a ClientKeyExchange takes.
func (c *Cost) exchange(hs *handshake) {
	if p, ok := hs.transcript.last(wire.TypeServerKeyExchange, wire.Server).(*wire.ServerKeyExchange); ok && groupOf(p) != "" {
		c.did(wire.Client, "key generation", groupOf(p), "")
		c.did(wire.Client, "key agreement", groupOf(p), "")
		c.did(wire.Server, "key agreement", groupOf(p), "")
	}
	if hs.exchange.Encrypted() {
		key := ""
		if cert := hs.leaf(wire.Server); cert != nil {
			key = keyName(cert)
		}
		c.did(wire.Client, "RSA encryption", "", key)
		c.did(wire.Server, "RSA decryption", "", key)
	}
}

// sign counts a signature and its verification. Only the key says how long those of RSA are.
func (c *Cost) sign(hs *handshake, m *Message) {
	key := ""
	if cert := hs.leaf(m.from); cert != nil {
		key = keyName(cert)
	}
	c.did(m.from, "signature", m.scheme.String(), key)
	c.did(m.from.Peer(), "verification", m.scheme.String(), key)
}

// verifyChain counts the signatures of authorities. That of a root on itself proves nothing.
func (c *Cost) verifyChain(by wire.Role, p *wire.Certificate) {
	var chain []*x509.Certificate
	for _, e := range p.Entries {
		cert, err := x509.ParseCertificate(e.DER)
		if err != nil {
			return
		}
		chain = append(chain, cert)
	}
	for i, cert := range chain {
		if bytes.Equal(cert.RawIssuer, cert.RawSubject) {
			continue
		}
		key := ""
		if i+1 < len(chain) && bytes.Equal(cert.RawIssuer, chain[i+1].RawSubject) {
			key = keyName(chain[i+1])
		}
		c.did(by, "certificate verification", cert.SignatureAlgorithm.String(), key)
	}
}
