package handshake

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// ExternalPSK is a key of TLS 1.3 that both sides had before they spoke. RFC 8446
// §4.2.11. It is never written to.
type ExternalPSK struct {
	Identity, Key []byte
	Hash          *suite.Hash // that goes with Key
	// Imported: it is not used as it is, but imported under Context. RFC 9258.
	Imported bool
	Context  []byte
}

// What an external PSK is on the wire.
var (
	ofExternal = pskKind{keys.LabelExternalBinder, "external", "RFC 8446 §4.2.11"}
	ofImported = pskKind{keys.LabelImportedBinder, "imported", "RFC 9258 §5.1"}
)

// targets are the hashes that a PSK may be imported for. RFC 9258 §5.1, §10.
var targets = []struct {
	kdf  wire.KDF
	hash *suite.Hash
}{{wire.HKDFSHA256, suite.SHA256}, {wire.HKDFSHA384, suite.SHA384}}

// imported is the identity of x for one hash.
func (x *ExternalPSK) imported(kdf wire.KDF) []byte {
	i := wire.ImportedIdentity{ExternalIdentity: x.Identity, Context: x.Context, TargetProtocol: wire.TLS13, TargetKDF: kdf}
	return i.Append(nil)
}

// PSK is what a session keeps of x.
func (x *ExternalPSK) PSK() *session.PSK {
	kind := &ofExternal
	if x.Imported {
		kind = &ofImported
	}
	return &session.PSK{Identity: x.Identity,
		Digest: session.Binding([]byte(kind.binder), []byte(x.Hash.Name), x.Identity, x.Context, x.Key)}
}

// importSecret is the value between an external PSK and those imported of it.
func (x *ExternalPSK) importSecret(room []byte) []byte {
	return keys.Extract(x.Hash, room[:0], nil, x.Key)
}

// offer is x as a client offers it, or as a server expects it, for that hash.
func (x *ExternalPSK) offer(kdf wire.KDF, h *suite.Hash) pskOffer {
	if !x.Imported {
		return pskOffer{identity: x.Identity, hash: h, secret: x.Key, kind: &ofExternal, external: x}
	}
	var room [maxHash]byte
	p := pskOffer{identity: x.imported(kdf), hash: h, secret: make([]byte, h.Size), kind: &ofImported, external: x}
	keys.ImportedPSK(x.Hash, p.secret, x.importSecret(room[:]), p.identity)
	clear(room[:])
	return p
}

// listExternal appends what the Config has of external PSKs to s.psks: one that is
// imported for each hash of the suites on offer.
func (s *State) listExternal() {
	for i := range s.Config.External {
		x := &s.Config.External[i]
		for _, t := range targets {
			if s.hasSuiteOf(t.hash) && (x.Imported || x.Hash == t.hash) {
				s.psks = append(s.psks, x.offer(t.kdf, t.hash))
			}
		}
	}
}

// hasSuiteOf reports whether a suite of TLS 1.3 that we use has that hash.
func (s *State) hasSuiteOf(h *suite.Hash) bool {
	return slices.ContainsFunc(s.Config.Suites, func(c *suite.Suite) bool { return usable(c, wire.TLS13) && c.Hash == h })
}

// reportPSK tells the trace of a PSK and, where it is imported, what it is made of.
func (s *State) reportPSK(p *pskOffer) {
	if p.kind != &ofImported {
		if s.Hooks.Secret != nil {
			s.Hooks.Secret(trace.Secret{Name: p.called("psk"), How: p.kind.how, Value: p.secret, Ref: p.kind.ref})
		}
		return
	}
	if s.Hooks.Secret == nil {
		return
	}
	var room [maxHash]byte
	x := p.external
	s.Hooks.Secret(trace.Secret{Name: p.called("external_psk"), How: ofExternal.how, Value: x.Key, Ref: "RFC 9258 §3"})
	s.Hooks.Secret(trace.Secret{Name: p.called("import_secret"), How: "HKDF-Extract", Salt: "0", From: p.called("external_psk"), Input: x.Key,
		InputIs: "the external PSK", Hash: x.Hash.Name, Value: x.importSecret(room[:]), Ref: "RFC 9258 §5.1"})
	digest := x.Hash.New()
	digest.Write(p.identity)
	s.Hooks.Secret(trace.Secret{Name: p.called("psk"), How: "HKDF-Expand-Label", From: p.called("import_secret"), Label: keys.LabelImportedPSK, Input: digest.Sum(nil),
		InputIs: "the imported identity", Hash: x.Hash.Name, Value: p.secret, Ref: p.kind.ref})
}

// wipe forgets a secret that was made for p alone.
func (p *pskOffer) wipe() {
	if p.kind == &ofImported {
		clear(p.secret)
	}
}

// findExternal returns the external PSK behind an identity, as it is or imported. A key
// that is for the one is not found by the other. RFC 9258 §6. Without one p has no kind.
func (s *State) findExternal(identity []byte) (p pskOffer, err error) {
	if i, ok := wire.ParseImportedIdentity(identity); ok {
		x, err := s.askExternal(i.ExternalIdentity)
		if err != nil {
			return p, err
		}
		for _, t := range targets {
			if t.kdf == i.TargetKDF && x != nil && x.Imported && bytes.Equal(x.Context, i.Context) {
				return x.offer(t.kdf, t.hash), nil
			}
		}
	}
	x, err := s.askExternal(identity)
	if err != nil || x == nil || x.Imported {
		return p, err
	}
	return x.offer(0, x.Hash), nil
}

func (s *State) askExternal(identity []byte) (*ExternalPSK, error) {
	x, err := s.Config.ExternalPSK(identity)
	if err != nil {
		return nil, refusedBy("PSK.ExternalServer", err)
	}
	return x, nil
}

// takeExternal has the server take the PSK behind the identity at index, if it has it
// and there is a suite of its hash. RFC 8446 §4.2.11.
func (s *State) takeExternal(index int, identity []byte) (taken bool, err error) {
	p, err := s.findExternal(identity)
	if err != nil || p.kind == nil {
		return false, err
	}
	if s.isOwnHello() {
		return false, sentByUs()
	}
	if p.hash != s.Result.Suite.Hash {
		other := pickSuite(s.ownSuites(), s.Offer.Suites, s.Result.Version, func(c *suite.Suite) bool { return c.Hash == p.hash })
		if other == nil {
			p.wipe()
			return false, nil
		}
		s.Result.Suite = other
		s.choseSuite(other, "of those with the hash of the pre-shared key")
	}
	s.key, s.pskIndex = p, index
	s.pskTicket = sha256.Sum256(identity)
	if err := s.checkBinder(index, &s.key); err != nil {
		return false, err
	}
	s.began(p.external.PSK())
	s.choseExternal()
	return true, nil
}

// sentByUs: a peer that sends our own hello back shows no key of its own. A ticket of a session
// that began with an external PSK is no better than the PSK.
func sentByUs() error {
	return fault(wire.AlertIllegalParameter, "the client's hello is one that we have sent ourselves, and its PSK is ours", "RFC 9257 §5.1, RFC 9258 §A", nil)
}

// refuseUnknown ends the handshake of a client whose PSKs are none of ours, where nothing
// else will do. It does so as for a wrong binder, and does the same work before: nobody can
// ask which identities exist. RFC 8446 §E.6.
func (s *State) refuseUnknown() error {
	first := s.Offer.PSKs.Identities[0].Identity
	_, imported := wire.ParseImportedIdentity(first)
	x := ExternalPSK{Identity: first, Key: make([]byte, 32), Hash: s.Result.Suite.Hash, Imported: imported}
	rand.Read(x.Key)
	p, hooks := x.offer(wire.HKDFSHA256, x.Hash), s.Hooks
	s.Hooks = &noHooks // it is nobody's key
	_ = s.checkBinder(0, &p)
	s.Hooks = hooks
	return wrongBinder()
}

// ownHellos are the hellos with external PSKs of the handshakes that are under way here,
// by the node that sent them. A peer that sends one back would else be taken for one that
// has the key (Selfie). Each is gone when its handshake is over.
var ownHellos sync.Map

// ownHello is one of them. Its random is under every binder, so nobody without the key can
// change it.
type ownHello struct {
	node   any
	random [32]byte
}

// noteOwnHello notes our hello, where it offers an external PSK.
func (s *State) noteOwnHello() {
	if len(s.Config.External) > 0 && s.Config.Node != nil && s.offers13() && s.previous == nil {
		s.noted = ownHello{s.Config.Node, s.Result.Secrets.ClientRandom}
		ownHellos.Store(s.noted, nil)
	}
}

func (s *State) forgetOwnHello() {
	if s.noted.node != nil {
		ownHellos.Delete(s.noted)
	}
}

func (s *State) isOwnHello() bool {
	for _, node := range []any{s.Config.Node, s.Config.FirstNode} {
		if _, own := ownHellos.Load(ownHello{node, s.Result.Secrets.ClientRandom}); own {
			return true
		}
	}
	return false
}

// OwnHellos counts the hellos that are noted, for tests.
func OwnHellos() (n int) {
	ownHellos.Range(func(any, any) bool { n++; return true })
	return n
}
