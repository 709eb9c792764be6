package kex

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

func forEachGroup(t *testing.T, test func(t *testing.T, g *Group)) {
	for _, g := range Groups() {
		t.Run(g.Name, func(t *testing.T) { test(t, g) })
	}
}

func generate(t testing.TB, id wire.NamedGroup) *Private {
	t.Helper()
	p, err := Generate(id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRoundTrip(t *testing.T) {
	forEachGroup(t, func(t *testing.T, g *Group) {
		p := generate(t, g.ID)
		share, secret, err := Respond(g.ID, p.Share())
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Finish(share)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, secret) {
			t.Errorf("the sides disagree: %x and %x", got, secret)
		}
		if len(p.Share()) != g.ClientShareLen || len(share) != g.ServerShareLen || len(secret) != g.SecretLen {
			t.Errorf("lengths %d, %d, %d, want %d, %d, %d", len(p.Share()), len(share), len(secret),
				g.ClientShareLen, g.ServerShareLen, g.SecretLen)
		}
		if p.Group() != g {
			t.Errorf("the key is of group %s", p.Group().Name)
		}
		again := generate(t, g.ID)
		share2, secret2, err := Respond(g.ID, p.Share())
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(again.Share(), p.Share()) || bytes.Equal(share2, share) || bytes.Equal(secret2, secret) {
			t.Error("two exchanges share a value")
		}
	})
}

// Up to TLS 1.2 both sides generate first and finish then.
func TestBothSidesGenerate(t *testing.T) {
	forEachGroup(t, func(t *testing.T, g *Group) {
		if g.PostQuantum {
			return // TLS 1.3 only
		}
		a, b := generate(t, g.ID), generate(t, g.ID)
		x, err := a.Finish(b.Share())
		if err != nil {
			t.Fatal(err)
		}
		y, err := b.Finish(a.Share())
		if err != nil || !bytes.Equal(x, y) {
			t.Errorf("the sides disagree: %x and %x (%v)", x, y, err)
		}
	})
}

// The table is that of RFC 8446 §4.2.8, RFC 7748 and draft-ietf-tls-ecdhe-mlkem §4.
func TestTable(t *testing.T) {
	type row struct {
		client, server, secret int
		components             []wire.NamedGroup
	}
	want := map[wire.NamedGroup]row{
		wire.GroupX25519:             {32, 32, 32, []wire.NamedGroup{wire.GroupX25519}},
		wire.GroupP256:               {65, 65, 32, []wire.NamedGroup{wire.GroupP256}},
		wire.GroupP384:               {97, 97, 48, []wire.NamedGroup{wire.GroupP384}},
		wire.GroupP521:               {133, 133, 66, []wire.NamedGroup{wire.GroupP521}},
		wire.GroupX448:               {56, 56, 56, []wire.NamedGroup{wire.GroupX448}},
		wire.GroupX25519MLKEM768:     {1216, 1120, 64, []wire.NamedGroup{wire.GroupMLKEM768, wire.GroupX25519}},
		wire.GroupSecP256r1MLKEM768:  {1249, 1153, 64, []wire.NamedGroup{wire.GroupP256, wire.GroupMLKEM768}},
		wire.GroupSecP384r1MLKEM1024: {1665, 1665, 80, []wire.NamedGroup{wire.GroupP384, wire.GroupMLKEM1024}},
		wire.GroupMLKEM1024:          {1568, 1568, 32, []wire.NamedGroup{wire.GroupMLKEM1024}},
		wire.GroupFFDHE2048:          {256, 256, 256, []wire.NamedGroup{wire.GroupFFDHE2048}},
		wire.GroupFFDHE3072:          {384, 384, 384, []wire.NamedGroup{wire.GroupFFDHE3072}},
		wire.GroupFFDHE4096:          {512, 512, 512, []wire.NamedGroup{wire.GroupFFDHE4096}},
		wire.GroupFFDHE6144:          {768, 768, 768, []wire.NamedGroup{wire.GroupFFDHE6144}},
		wire.GroupFFDHE8192:          {1024, 1024, 1024, []wire.NamedGroup{wire.GroupFFDHE8192}},
	}
	if len(Groups()) != len(want) {
		t.Errorf("%d groups, want %d", len(Groups()), len(want))
	}
	for _, g := range Groups() {
		w, ok := want[g.ID]
		got := row{g.ClientShareLen, g.ServerShareLen, g.SecretLen, g.Components}
		if !ok || got.client != w.client || got.server != w.server || got.secret != w.secret || !slices.Equal(got.components, w.components) {
			t.Errorf("%s: %v, want %v", g.Name, got, w)
		}
		if !Supported(g.ID) || Lookup(g.ID) != g || g.Hybrid != (len(w.components) > 1) || g.PostQuantum != (g.Hybrid || g.ID == wire.GroupMLKEM1024) || g.Bits < 128 && !IsFF(g.ID) || g.Bits < 103 {
			t.Errorf("%s: %+v", g.Name, g)
		}
	}
	for _, id := range []wire.NamedGroup{0, wire.GroupMLKEM768, 0x0105, 0x0a0a, 0xffff} {
		if _, err := Generate(id); err == nil || Supported(id) {
			t.Errorf("%v is supported", id)
		}
		if _, _, err := Respond(id, nil); err == nil {
			t.Errorf("Respond took a share of %v", id)
		}
	}
	Groups()[0] = nil
	if Groups()[0] == nil {
		t.Error("Groups hands out the table itself")
	}
}

func TestShareLength(t *testing.T) {
	forEachGroup(t, func(t *testing.T, g *Group) {
		p := generate(t, g.ID)
		share, _, err := Respond(g.ID, p.Share())
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range [][]byte{nil, {4}, share[:len(share)-1], append(share[:len(share):len(share)], 0)} {
			if _, err := p.Finish(bad); err == nil {
				t.Errorf("Finish took a share of %d bytes", len(bad))
			}
		}
		good := p.Share()
		for _, bad := range [][]byte{nil, {4}, good[:len(good)-1], append(good[:len(good):len(good)], 0)} {
			if _, _, err := Respond(g.ID, bad); err == nil {
				t.Errorf("Respond took a share of %d bytes", len(bad))
			}
		}
	})
}

// refuse checks that a share whose component part is replaced by bad is refused
// by both sides, or by the server alone where bad is an encapsulation key.
func refuse(t *testing.T, g *Group, what string, part int, bad []byte) {
	t.Helper()
	client, server := 0, 0
	for _, c := range g.parts[:part] {
		client, server = client+c.clientLen, server+c.serverLen
	}
	p := generate(t, g.ID)
	share, _, err := Respond(g.ID, p.Share())
	if err != nil {
		t.Fatal(err)
	}
	hello := bytes.Clone(p.Share())
	copy(hello[client:], bad)
	if _, secret, err := Respond(g.ID, hello); err == nil || secret != nil {
		t.Errorf("%s: Respond took %s", g.Name, what)
	}
	if id := g.Components[part]; stdCurves[id] != nil || id == wire.GroupX448 || IsFF(id) {
		copy(share[server:], bad)
		if secret, err := p.Finish(share); err == nil || secret != nil {
			t.Errorf("%s: Finish took %s", g.Name, what)
		}
	}
}

func TestBadShares(t *testing.T) {
	for _, g := range Groups() {
		for i, id := range g.Components {
			switch n := g.parts[i].clientLen; id {
			case wire.GroupX25519:
				for _, point := range lowOrder {
					refuse(t, g, "a point of small order", i, unhex(point))
				}
			case wire.GroupX448:
				for _, point := range lowOrder448() {
					refuse(t, g, "a point of small order", i, point)
				}
			case wire.GroupMLKEM768, wire.GroupMLKEM1024:
				refuse(t, g, "coefficients above the modulus", i, bytes.Repeat([]byte{0xff}, n))
			case wire.GroupFFDHE2048, wire.GroupFFDHE3072, wire.GroupFFDHE4096, wire.GroupFFDHE6144, wire.GroupFFDHE8192:
				for name, value := range badPublics(DHOf(id).P()) {
					refuse(t, g, name, i, value)
				}
			default:
				refuse(t, g, "zeros", i, make([]byte, n))
				offCurve := bytes.Repeat([]byte{1}, n)
				offCurve[0] = 4
				refuse(t, g, "a point off the curve", i, offCurve)
				compressed := bytes.Clone(generate(t, id).Share())
				compressed[0] = 2 + compressed[n-1]&1
				refuse(t, g, "a compressed point", i, compressed)
				hybridForm := bytes.Clone(generate(t, id).Share())
				hybridForm[0] = 6 + hybridForm[n-1]&1
				refuse(t, g, "a point in hybrid form", i, hybridForm)
			}
		}
	}
}

// The classical share of a hybrid is the share of the group of its own, and
// either may be finished.
func TestClassical(t *testing.T) {
	forEachGroup(t, func(t *testing.T, g *Group) {
		p := generate(t, g.ID)
		c := p.Classical()
		if !g.Hybrid {
			if c != nil {
				t.Errorf("not a hybrid, but has the classical group %s", c.Group().Name)
			}
			return
		}
		if c == nil || c.Group().PostQuantum || c.Group().ID != g.Classical() || !slices.Contains(g.Components, c.Group().ID) {
			t.Fatalf("classical key is %+v", c)
		}
		if len(c.Share()) != c.Group().ClientShareLen || !bytes.Contains(p.Share(), c.Share()) {
			t.Errorf("classical share %x is not a part of the hybrid's", c.Share())
		}
		for _, key := range []*Private{c, p} {
			share, secret, err := Respond(key.Group().ID, key.Share())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := key.Finish(share); err != nil || !bytes.Equal(got, secret) {
				t.Errorf("%s: the sides disagree: %x and %x (%v)", key.Group().Name, got, secret, err)
			}
		}
	})
}

var stdCurves = map[wire.NamedGroup]ecdh.Curve{
	wire.GroupX25519: ecdh.X25519(), wire.GroupP256: ecdh.P256(), wire.GroupP384: ecdh.P384(), wire.GroupP521: ecdh.P521(),
}

// stdRespond is a server of the standard library's primitives alone.
func stdRespond(t *testing.T, g *Group, peer []byte) (share, secret []byte) {
	for i, id := range g.Components {
		part := peer[:g.parts[i].clientLen]
		peer = peer[len(part):]
		var s, c []byte
		switch id {
		case wire.GroupMLKEM768:
			key, err := mlkem.NewEncapsulationKey768(part)
			if err != nil {
				t.Fatal(err)
			}
			s, c = key.Encapsulate()
		case wire.GroupMLKEM1024:
			key, err := mlkem.NewEncapsulationKey1024(part)
			if err != nil {
				t.Fatal(err)
			}
			s, c = key.Encapsulate()
		case wire.GroupFFDHE2048, wire.GroupFFDHE3072, wire.GroupFFDHE4096, wire.GroupFFDHE6144, wire.GroupFFDHE8192:
			share, finish := bigDH(id)
			s, c = finish(part), share
		case wire.GroupX448:
			share, finish := bigX448()
			s, c = finish(part), share
		default:
			key, err := stdCurves[id].GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			s, c = stdECDH(t, key, part), key.PublicKey().Bytes()
		}
		share, secret = append(share, c...), append(secret, s...)
	}
	return share, secret
}

func stdECDH(t *testing.T, key *ecdh.PrivateKey, peer []byte) []byte {
	point, err := key.Curve().NewPublicKey(peer)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := key.ECDH(point)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// stdClient is a client likewise.
func stdClient(t *testing.T, g *Group) (share []byte, finish func(peer []byte) []byte) {
	var finishers []func([]byte) []byte
	for _, id := range g.Components {
		switch id {
		case wire.GroupMLKEM768:
			key, err := mlkem.GenerateKey768()
			if err != nil {
				t.Fatal(err)
			}
			share = append(share, key.EncapsulationKey().Bytes()...)
			finishers = append(finishers, func(c []byte) []byte { s, _ := key.Decapsulate(c); return s })
		case wire.GroupMLKEM1024:
			key, err := mlkem.GenerateKey1024()
			if err != nil {
				t.Fatal(err)
			}
			share = append(share, key.EncapsulationKey().Bytes()...)
			finishers = append(finishers, func(c []byte) []byte { s, _ := key.Decapsulate(c); return s })
		case wire.GroupFFDHE2048, wire.GroupFFDHE3072, wire.GroupFFDHE4096, wire.GroupFFDHE6144, wire.GroupFFDHE8192:
			public, finish := bigDH(id)
			share, finishers = append(share, public...), append(finishers, finish)
		case wire.GroupX448:
			public, finish := bigX448()
			share, finishers = append(share, public...), append(finishers, finish)
		default:
			key, err := stdCurves[id].GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			share = append(share, key.PublicKey().Bytes()...)
			finishers = append(finishers, func(p []byte) []byte { return stdECDH(t, key, p) })
		}
	}
	return share, func(peer []byte) (secret []byte) {
		for i, f := range finishers {
			n := g.parts[i].serverLen
			secret, peer = append(secret, f(peer[:n])...), peer[n:]
		}
		return secret
	}
}

func TestInteroperatesWithStd(t *testing.T) {
	forEachGroup(t, func(t *testing.T, g *Group) {
		for range 2 {
			p := generate(t, g.ID)
			share, want := stdRespond(t, g, p.Share())
			if got, err := p.Finish(share); err != nil || !bytes.Equal(got, want) {
				t.Errorf("as a client: %x, want %x (%v)", got, want, err)
			}
			hello, finish := stdClient(t, g)
			share, want, err := Respond(g.ID, hello)
			if err != nil {
				t.Fatal(err)
			}
			if got := finish(share); !bytes.Equal(got, want) {
				t.Errorf("as a server: %x, want %x", want, got)
			}
		}
	})
}

func FuzzShares(f *testing.F) {
	for i, g := range groups {
		p := generate(f, g.ID)
		share, _, err := Respond(g.ID, p.Share())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), p.Share())
		f.Add(byte(i), share)
	}
	f.Fuzz(func(t *testing.T, group byte, share []byte) {
		g := groups[int(group)%len(groups)]
		answer, secret, err := Respond(g.ID, share)
		if (err == nil) != (len(answer) == g.ServerShareLen && len(secret) == g.SecretLen) {
			t.Errorf("Respond gave %d bytes of share, %d of secret and the error %v", len(answer), len(secret), err)
		}
		secret, err = generate(t, g.ID).Finish(share)
		if (err == nil) != (len(secret) == g.SecretLen) {
			t.Errorf("Finish gave %d bytes and the error %v", len(secret), err)
		}
	})
}
