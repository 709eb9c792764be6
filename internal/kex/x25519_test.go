//go:build !vitrine_std

package kex

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// scalarMult returns all zeros where the product is refused.
func scalarMult(scalar, point []byte) []byte {
	secret, err := (*x25519Key)(scalar).finish(nil, point)
	if err != nil {
		return make([]byte, 32)
	}
	return secret
}

func scalarBase(scalar []byte) []byte {
	var public [32]byte
	(*x25519Key)(scalar).base(&public)
	return public[:]
}

func TestRFC7748(t *testing.T) {
	for _, v := range []struct{ scalar, point, want string }{ // §5.2
		{"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
			"e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
			"c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
		{"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
			"e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
			"95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
	} {
		if got := hex.EncodeToString(scalarMult(unhex(v.scalar), unhex(v.point))); got != v.want {
			t.Errorf("%s times %s is %s, want %s", v.scalar, v.point, got, v.want)
		}
	}
	k, u := make([]byte, 32), make([]byte, 32) // §5.2, iterated
	k[0], u[0] = 9, 9
	for i := 1; i <= 1000; i++ {
		k, u = scalarMult(k, u), k
		want := map[int]string{
			1:    "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
			1000: "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
		}[i]
		if want != "" && hex.EncodeToString(k) != want {
			t.Errorf("after %d iterations %x, want %s", i, k, want)
		}
	}
	const ( // §6.1
		alice       = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
		alicePublic = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
		bob         = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
		bobPublic   = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
		shared      = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
	)
	for _, c := range []struct {
		name, want string
		got        []byte
	}{
		{"Alice's public key", alicePublic, scalarBase(unhex(alice))},
		{"Bob's public key", bobPublic, scalarBase(unhex(bob))},
		{"Alice's secret", shared, scalarMult(unhex(alice), unhex(bobPublic))},
		{"Bob's secret", shared, scalarMult(unhex(bob), unhex(alicePublic))},
	} {
		if hex.EncodeToString(c.got) != c.want {
			t.Errorf("%s is %x, want %s", c.name, c.got, c.want)
		}
	}
}

// The key exchanges of the two TLS 1.3 traces of RFC 8448.
func TestRFC8448(t *testing.T) {
	file, err := os.ReadFile("../keys/testdata/rfc8448.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, trace := range []string{"simple", "resumed"} {
		v := make(map[string][]byte)
		for line := range strings.Lines(string(file)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == trace {
				v[f[1]] = unhex(strings.TrimPrefix(f[2], "-"))
			}
		}
		if len(v["shared"]) != 32 {
			t.Fatalf("no trace named %q", trace)
		}
		for _, c := range []struct {
			name      string
			got, want []byte
		}{
			{"client_share", scalarBase(v["client_x25519"]), v["client_share"]},
			{"server_share", scalarBase(v["server_x25519"]), v["server_share"]},
			{"shared, as client", scalarMult(v["client_x25519"], v["server_share"]), v["shared"]},
			{"shared, as server", scalarMult(v["server_x25519"], v["client_share"]), v["shared"]},
		} {
			if !bytes.Equal(c.got, c.want) {
				t.Errorf("%s: %s is %x, want %x", trace, c.name, c.got, c.want)
			}
		}
	}
}

// Both implementations of X25519 agree on any scalar and point, also on points
// that are on the twist, not canonical or of small order.
func TestX25519AgreesWithStd(t *testing.T) {
	points := [][]byte{bytes.Repeat([]byte{0xff}, 32)}
	for _, p := range lowOrder {
		points = append(points, unhex(p))
	}
	for range 200 {
		p := make([]byte, 32)
		rand.Read(p)
		points = append(points, p)
	}
	for _, p := range points {
		scalar := make([]byte, 32)
		rand.Read(scalar)
		key, err := ecdh.X25519().NewPrivateKey(scalar)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := scalarBase(scalar), key.PublicKey().Bytes(); !bytes.Equal(got, want) {
			t.Errorf("%x times the base point is %x, want %x", scalar, got, want)
		}
		peer, err := ecdh.X25519().NewPublicKey(p)
		if err != nil {
			t.Fatal(err)
		}
		want, err := key.ECDH(peer)
		if err != nil {
			want = make([]byte, 32)
		}
		if got := scalarMult(scalar, p); !bytes.Equal(got, want) {
			t.Errorf("%x times %x is %x, want %x", scalar, p, got, want)
		}
	}
}
