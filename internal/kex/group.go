// Package kex holds the key exchanges. Those with an ephemeral key are behind one
// interface shaped like a KEM: one side generates a key and sends a share, the
// other responds with a share and has the secret, and the first finishes. DH is
// the same for finite fields whose parameters travel with the share; beside it
// stand what TLS up to 1.2 also knows: the encrypted premaster of RSA, that of
// pre-shared keys, and the signatures of DSS.
//
// A group is a list of components, each a Diffie-Hellman function or a KEM;
// a hybrid is a group of two, whose shares and secrets are concatenated.
//
// The primitives stand in primitives_fast.go and, with the build tag
// vitrine_std, in primitives_std.go from the standard library alone. X448 is not
// there and stands by itself.
package kex

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// Group describes a key-exchange group. Lengths are in bytes.
type Group struct {
	ID wire.NamedGroup
	// Name is the group's usual name for people: "P-256".
	Name string
	// Hybrid is set for a classical group joined with a post-quantum KEM.
	Hybrid bool
	// PostQuantum is set for what has a post-quantum KEM, alone or in a hybrid. Such
	// groups are for TLS 1.3 alone.
	PostQuantum bool
	// Components are the groups that a hybrid is made of, in the order of its
	// share; one alone, the group itself, for the others.
	Components []wire.NamedGroup
	// ClientShareLen and ServerShareLen differ for a KEM: encapsulation key and
	// ciphertext.
	ClientShareLen, ServerShareLen int
	SecretLen                      int
	// Bits is the strength of the stronger component against the attacks that
	// are known today.
	Bits int

	parts []*component
}

// component is a primitive that groups are made of. Its funcs append to the
// slices they are given, so that a hybrid's share and secret are built in place.
type component struct {
	id                              wire.NamedGroup
	clientLen, serverLen, secretLen int
	kem                             bool // post-quantum
	// generate makes a key and appends its share.
	generate func(share []byte) ([]byte, private, error)
	// respond answers the share peer, of clientLen bytes, with a share and the secret.
	respond func(share, secret, peer []byte) (newShare, newSecret []byte, err error)
}

// private is a component's key. finish takes the share peer, of serverLen
// bytes, and appends the secret.
type private interface {
	finish(secret, peer []byte) ([]byte, error)
}

// groups is the table, strongest and then cheapest first, and the finite fields,
// dear for what they give, last. RFC 8446 §4.2.7; their strengths: RFC 7919 App. A;
// the parts' orders are those of draft-ietf-tls-ecdhe-mlkem §4: ML-KEM before
// X25519 but after the NIST curves, so that a part approved by FIPS comes first.
var groups = []*Group{
	newGroup(wire.GroupX25519MLKEM768, "X25519MLKEM768", 192, mlkem768, x25519),
	newGroup(wire.GroupSecP256r1MLKEM768, "SecP256r1MLKEM768", 192, p256, mlkem768),
	newGroup(wire.GroupSecP384r1MLKEM1024, "SecP384r1MLKEM1024", 256, p384, mlkem1024),
	newGroup(wire.GroupMLKEM1024, "MLKEM1024", 256, mlkem1024),
	newGroup(wire.GroupX25519, "X25519", 128, x25519),
	newGroup(wire.GroupP256, "P-256", 128, p256),
	newGroup(wire.GroupP384, "P-384", 192, p384),
	newGroup(wire.GroupP521, "P-521", 256, p521),
	newGroup(wire.GroupX448, "X448", 224, x448),
	newGroup(wire.GroupFFDHE2048, "ffdhe2048", 103, ffdheComponent(wire.GroupFFDHE2048, 2048)),
	newGroup(wire.GroupFFDHE3072, "ffdhe3072", 125, ffdheComponent(wire.GroupFFDHE3072, 3072)),
	newGroup(wire.GroupFFDHE4096, "ffdhe4096", 150, ffdheComponent(wire.GroupFFDHE4096, 4096)),
	newGroup(wire.GroupFFDHE6144, "ffdhe6144", 175, ffdheComponent(wire.GroupFFDHE6144, 6144)),
	newGroup(wire.GroupFFDHE8192, "ffdhe8192", 192, ffdheComponent(wire.GroupFFDHE8192, 8192)),
}

func newGroup(id wire.NamedGroup, name string, bits int, parts ...*component) *Group {
	g := &Group{ID: id, Name: name, Bits: bits, Hybrid: len(parts) > 1, parts: parts}
	for _, p := range parts {
		g.PostQuantum = g.PostQuantum || p.kem
		g.Components = append(g.Components, p.id)
		g.ClientShareLen += p.clientLen
		g.ServerShareLen += p.serverLen
		g.SecretLen += p.secretLen
	}
	return g
}

// Groups returns every group, strongest and then cheapest first, finite fields
// last. The slice is the caller's, what it points to is shared.
func Groups() []*Group { return slices.Clone(groups) }

// Lookup returns the group with the number id, or nil if it is not implemented.
func Lookup(id wire.NamedGroup) *Group {
	for _, g := range groups {
		if g.ID == id {
			return g
		}
	}
	return nil
}

// Supported reports whether Generate and Respond know the group.
func Supported(id wire.NamedGroup) bool { return Lookup(id) != nil }

// Private is a generated key that waits for the peer's share.
type Private struct {
	group *Group
	share []byte
	parts []private
	room  [2]private // backs parts
}

// Generate makes a key of the group: for a TLS 1.3 client, and for either side
// of ECDHE up to TLS 1.2. It errs only for a group that is not supported.
func Generate(id wire.NamedGroup) (*Private, error) {
	g := Lookup(id)
	if g == nil {
		return nil, fmt.Errorf("key exchange group %v is not supported", id)
	}
	p := &Private{group: g, share: make([]byte, 0, g.ClientShareLen)}
	p.parts = p.room[:0]
	for _, c := range g.parts {
		share, key, err := c.generate(p.share)
		if err != nil {
			return nil, err
		}
		p.share, p.parts = share, append(p.parts, key)
	}
	return p, nil
}

// Group is what the key belongs to.
func (p *Private) Group() *Group { return p.group }

// Share returns the bytes to send. They are shared: do not write to them.
func (p *Private) Share() []byte { return p.share }

// Finish returns the shared secret, which is the caller's. Any error is the
// fault of peerShare, for which illegal_parameter is the alert: a wrong length,
// a point that is not on the curve, an all-zero secret. RFC 8446 §4.2.8, §7.4.2.
func (p *Private) Finish(peerShare []byte) ([]byte, error) {
	if err := p.group.checkLen(peerShare, p.group.ServerShareLen); err != nil {
		return nil, err
	}
	secret := make([]byte, 0, p.group.SecretLen)
	for i, c := range p.group.parts {
		var err error
		if secret, err = p.parts[i].finish(secret, peerShare[:c.serverLen]); err != nil {
			return nil, fmt.Errorf("%s key share: %w", p.group.Name, err)
		}
		peerShare = peerShare[c.serverLen:]
	}
	return secret, nil
}

// Classical is the classical component of a hybrid; 0 if g is none.
func (g *Group) Classical() wire.NamedGroup {
	if g.Hybrid {
		for _, c := range g.parts {
			if !c.kem {
				return c.id
			}
		}
	}
	return 0
}

// Classical returns the classical component of a hybrid's key as a key of its
// own, or nil if p is no hybrid. A client that offers both groups sends the one
// key in both shares and saves a key generation; the server takes only one of
// them. draft-ietf-tls-hybrid-design §3.2 allows it.
func (p *Private) Classical() *Private {
	half := p.group.Classical()
	share := p.share
	for i, c := range p.group.parts {
		if c.id == half {
			return &Private{group: Lookup(half), share: share[:c.clientLen:c.clientLen], parts: p.parts[i : i+1 : i+1]}
		}
		share = share[c.clientLen:]
	}
	return nil
}

// Respond answers a client's share with the server's share and the shared
// secret; both are the caller's. Errors are as for Finish, or that the group is
// not supported. RFC 8446 §4.2.8.
func Respond(id wire.NamedGroup, peerShare []byte) (share, secret []byte, err error) {
	return AppendResponse(nil, nil, id, peerShare)
}

// AppendResponse is Respond, but appends both to the caller's memory. Where that has the
// room, nothing of the secret is elsewhere. After an error nothing of it is left there.
func AppendResponse(share, secret []byte, id wire.NamedGroup, peerShare []byte) (_, _ []byte, err error) {
	g := Lookup(id)
	if g == nil {
		return nil, nil, fmt.Errorf("key exchange group %v is not supported", id)
	}
	if err := g.checkLen(peerShare, g.ClientShareLen); err != nil {
		return nil, nil, err
	}
	share, secret = slices.Grow(share, g.ServerShareLen), slices.Grow(secret, g.SecretLen)
	part := secret[len(secret):][:g.SecretLen]
	for _, c := range g.parts {
		if share, secret, err = c.respond(share, secret, peerShare[:c.clientLen]); err != nil {
			clear(part)
			return nil, nil, fmt.Errorf("%s key share: %w", g.Name, err)
		}
		peerShare = peerShare[c.clientLen:]
	}
	return share, secret, nil
}

func (g *Group) checkLen(share []byte, want int) error {
	if len(share) != want {
		return fmt.Errorf("%s key share has %d bytes instead of %d", g.Name, len(share), want)
	}
	return nil
}
