package interop

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// facts is what one side of one connection saw, by name. A name that a peer
// does not print is missing from its map.
type facts map[string]string

// want is what both sides must have seen on connection n (0 or 1) once its
// handshake was done; a value may list alternatives, separated by "|".
func (c cell) want(n int, p *peer) facts {
	resumed := c.Resume != "" && n == 1
	f := facts{
		"version": c.Version.String(), "suite": c.Suite.String(), "sni": serverName,
		"reused": yes(resumed), "resumption": "none", "retry": yes(c.Retry), "alpn": "",
		"client certificate": yes(c.ClientKey != "" && c.Auth != "later"),
		"renegotiations":     "0",
	}
	if c.Version == wire.SSL30 {
		f["sni"] = "" // it has no extensions
	}
	if resumed {
		f["resumption"] = c.Resume
		if c.Renegotiate != "" && c.Resume == "ticket" {
			f["resumption"] = "ticket|id" // a renegotiation may bring a session without one
		}
	}
	if c.ALPN {
		f["alpn"] = alpn
	}
	if c.Group != 0 && (!resumed || c.Version == wire.TLS13) {
		var names []string
		for _, g := range c.groups() {
			names = append(names, g.String())
		}
		f["group"] = strings.Join(names, "|")
	}
	if bits := c.dhSize(); bits != 0 && !resumed {
		f["dh bits"] = strconv.Itoa(bits)
	}
	if (c.kx().Signed() || c.Version == wire.TLS13) && !resumed {
		f["signature"] = c.signature()
	}
	if c.kx().PSK() {
		f["psk identity"] = pskIdentity
		if c.Hint && !resumed {
			f["psk hint"] = pskHint
		}
	}
	if c.Version != wire.TLS13 {
		f["ems"] = yes(!c.NoEMS && c.Version != wire.SSL30)
		f["etm"] = yes(c.cbc() && !c.NoEtM && !p.noEtM && c.Version != wire.SSL30)
	}
	return f
}

// wantAfter is what must hold at the end, once what should happen midway has:
// the last handshake may have resumed the session of the first or not.
func (c cell) wantAfter(n int, p *peer) facts {
	f := c.want(n, p)
	if c.Auth == "later" {
		f["client certificate"] = "yes"
	}
	if c.Renegotiate != "" || c.Auth == "later" {
		if c.Version != wire.TLS13 {
			f["renegotiations"] = "1"
		}
		for _, name := range []string{"reused", "resumption", "signature", "group", "dh bits", "psk hint"} {
			delete(f, name)
		}
	}
	return f
}

// peerWant is what the peer must have seen, which tells of the start or the end.
func (c cell) peerWant(n int, p *peer) facts {
	f := c.want(n, p)
	if !c.midway() {
		return f
	}
	if n > 0 {
		delete(f, "client certificate") // the session may hold what was shown or not shown midway
	}
	end := c.wantAfter(n, p)
	end["alpn"] = "" // some forget the protocol, which stays as it was
	for name, value := range f {
		if e, ok := end[name]; ok {
			f[name] = value + "|" + e
		} else {
			delete(f, name)
		}
	}
	return f
}

// signature is the family of schemes that the server signs with.
func (c cell) signature() string {
	switch {
	case c.Key.isRSA() && c.Version < wire.TLS12, c.Key == keyPKCS1:
		return "rsa_pkcs1"
	case c.Key == keyPSS:
		return "rsa_pss_rsae"
	case c.Key == keyPSSKey:
		return "rsa_pss_pss"
	case c.Key.isRSA():
		return "rsa_pkcs1|rsa_pss_rsae"
	case c.Key == keyEd25519, c.Key == keyEd448, c.Key == keyDSA:
		return string(c.Key)
	}
	return "ecdsa"
}

// compare returns what got differs in from want. With all set nothing that is
// wanted may be missing.
func compare(side string, n int, want, got facts, all bool) error {
	var wrong []string
	for name, w := range want {
		g, ok := got[name]
		if (ok || all) && !slices.Contains(strings.Split(w, "|"), g) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %q", name, g, w))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("connection %d seen by %s: %s", n+1, side, strings.Join(wrong, "; "))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
