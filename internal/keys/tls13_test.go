package keys

import (
	"bytes"
	"crypto/hkdf"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// loadTrace reads one trace of the RFC 8448 file.
func loadTrace(t *testing.T, name string) map[string][]byte {
	file, err := os.ReadFile("testdata/rfc8448.txt")
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string][]byte)
	for line := range strings.Lines(string(file)) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == name {
			values[f[1]] = unhex(strings.TrimPrefix(f[2], "-"))
		}
	}
	if len(values) == 0 {
		t.Fatalf("no trace named %q", name)
	}
	return values
}

// Every value of the two traces is derived again from the ones before it.
func TestRFC8448(t *testing.T) {
	h, aes := suite.SHA256, suite.ByID(wire.TLS_AES_128_GCM_SHA256)
	for _, trace := range []string{"simple", "resumed"} {
		v := loadTrace(t, trace)
		checked := map[string]bool{"psk": true, "shared": true, "ticket_nonce": true,
			"client_x25519": true, "client_share": true, "server_x25519": true, "server_share": true}
		check := func(name string, got []byte) {
			if !bytes.Equal(got, v[name]) {
				t.Errorf("%s: %s is %x, want %x", trace, name, got, v[name])
			}
			checked[name] = true
		}
		derive := func(name, secret, label, hash string) {
			check(name, DeriveSecret(h, nil, v[secret], label, v[hash]))
		}
		trafficKeys := func(prefix, secret string) {
			var key [16]byte
			var iv [12]byte
			TrafficKeys(aes, v[secret], key[:], iv[:])
			check(prefix+"_key", key[:])
			check(prefix+"_iv", iv[:])
		}

		psk := v["psk"]
		if len(psk) == 0 {
			psk = nil
		} else {
			check("binder_key", BinderKey(h, nil, v["early"], false))
			check("binder", Finished13(h, nil, v["binder_key"], v["binder_hash"]))
			derive("c_e_traffic", "early", LabelClientEarlyTraffic, "client_hello_hash")
			derive("e_exp_master", "early", LabelEarlyExporter, "client_hello_hash")
			trafficKeys("c_e", "c_e_traffic")
		}
		check("early", Extract(h, nil, nil, psk))
		check("derived_early", DeriveSecret(h, nil, v["early"], LabelDerived, EmptyHash(h)))
		check("handshake", Extract(h, nil, v["derived_early"], v["shared"]))
		derive("c_hs_traffic", "handshake", LabelClientHandshakeTraffic, "server_hello_hash")
		derive("s_hs_traffic", "handshake", LabelServerHandshakeTraffic, "server_hello_hash")
		trafficKeys("c_hs", "c_hs_traffic")
		trafficKeys("s_hs", "s_hs_traffic")
		check("derived_handshake", DeriveSecret(h, nil, v["handshake"], LabelDerived, EmptyHash(h)))
		check("master", Extract(h, nil, v["derived_handshake"], nil))
		check("server_finished", Finished13(h, nil, v["s_hs_traffic"], v["before_server_finished_hash"]))
		derive("c_ap_traffic", "master", LabelClientTraffic, "server_finished_hash")
		derive("s_ap_traffic", "master", LabelServerTraffic, "server_finished_hash")
		derive("exp_master", "master", LabelExporter, "server_finished_hash")
		trafficKeys("c_ap", "c_ap_traffic")
		trafficKeys("s_ap", "s_ap_traffic")
		check("client_finished", Finished13(h, nil, v["c_hs_traffic"], v["before_client_finished_hash"]))
		derive("res_master", "master", LabelResumptionMaster, "client_finished_hash")
		if nonce := v["ticket_nonce"]; nonce != nil {
			check("resumption", ResumptionPSK(h, nil, v["res_master"], nonce))
		}
		for name := range v {
			if !checked[name] && !strings.HasSuffix(name, "_hash") {
				t.Errorf("%s: nothing derives %s", trace, name)
			}
		}
	}
}

// label builds an HkdfLabel. RFC 8446 §7.1.
func label(n int, name string, context []byte) string {
	b := binary.BigEndian.AppendUint16(nil, uint16(n))
	b = append(b, byte(len("tls13 ")+len(name)))
	b = append(append(b, "tls13 "...), name...)
	b = append(b, byte(len(context)))
	return string(append(b, context...))
}

func TestHKDFEqualsStd(t *testing.T) {
	forEachHash(t, func(t *testing.T, h *suite.Hash, r *rand.Rand) {
		for n := range 256 {
			salt, ikm, context := random(r, n), random(r, n*3), random(r, n)
			want, err := hkdf.Extract(h.New, ikm, salt)
			if err != nil {
				t.Fatal(err)
			}
			if got := Extract(h, nil, salt, ikm); !bytes.Equal(got, want) {
				t.Fatalf("Extract of %d bytes: got %x, want %x", n, got, want)
			}
			name, got := strings.Repeat("n", n%250), make([]byte, 1+n*5)
			okm, err := hkdf.Expand(h.New, want, label(len(got), name, context), len(got))
			if err != nil {
				t.Fatal(err)
			}
			if ExpandLabel(h, got, want, name, context); !bytes.Equal(got, okm) {
				t.Fatalf("ExpandLabel of %d bytes: got %x, want %x", len(got), got, okm)
			}
		}
		zeros := make([]byte, h.Size)
		if got, want := Extract(h, nil, nil, nil), Extract(h, nil, zeros, zeros); !bytes.Equal(got, want) {
			t.Errorf("nil salt and input give %x, want %x as for zeros", got, want)
		}
		if got, want := Extract(h, nil, nil, []byte{}), stdHMAC(h, nil); !bytes.Equal(got, want) {
			t.Errorf("an empty input gives %x, want %x", got, want)
		}
	})
}

// The longest output HKDF has, and one byte more.
func TestExpandLabelBounds(t *testing.T) {
	h, secret := suite.SHA256, make([]byte, 32)
	most := 255 * h.Size
	got := make([]byte, most)
	ExpandLabel(h, got, secret, "n", nil)
	want, err := hkdf.Expand(h.New, secret, label(most, "n", nil), most)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of output differ from crypto/hkdf's (%v)", most, err)
	}
	for name, call := range map[string]func(){
		"output":  func() { ExpandLabel(h, make([]byte, most+1), secret, "n", nil) },
		"label":   func() { ExpandLabel(h, got[:1], secret, strings.Repeat("n", 250), nil) },
		"context": func() { ExpandLabel(h, got[:1], secret, "n", make([]byte, 256)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s above the bound did not panic", name)
				}
			}()
			call()
		}()
	}
}

func TestBinderKeysDiffer(t *testing.T) {
	early := make([]byte, 32)
	want := DeriveSecret(suite.SHA256, nil, early, "ext binder", EmptyHash(suite.SHA256))
	if got := BinderKey(suite.SHA256, nil, early, true); !bytes.Equal(got, want) {
		t.Errorf("external binder key is %x, want %x", got, want)
	}
	if bytes.Equal(want, BinderKey(suite.SHA256, nil, early, false)) {
		t.Error("external and resumption binder keys are the same")
	}
}

func TestNextTrafficSecretInPlace(t *testing.T) {
	secret := random(rand.New(rand.NewPCG(9, 10)), 32)
	want, err := hkdf.Expand(suite.SHA256.New, secret, label(32, "traffic upd", nil), 32)
	if err != nil {
		t.Fatal(err)
	}
	if got := NextTrafficSecret(suite.SHA256, secret[:0], secret); !bytes.Equal(got, want) || &got[0] != &secret[0] {
		t.Errorf("got %x, want %x in the old secret's place", got, want)
	}
}

func TestExporter13(t *testing.T) {
	h, master := suite.SHA384, random(rand.New(rand.NewPCG(11, 12)), 48)
	for _, context := range [][]byte{nil, {}, []byte("context"), make([]byte, 3000)} {
		secret, err := hkdf.Expand(h.New, master, label(48, "EXPORTER-test", h.New().Sum(nil)), 48)
		if err != nil {
			t.Fatal(err)
		}
		d := h.New()
		d.Write(context)
		want, err := hkdf.Expand(h.New, secret, label(70, "exporter", d.Sum(nil)), 70)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 70)
		if err := Exporter13(h, got, master, "EXPORTER-test", context); err != nil || !bytes.Equal(got, want) {
			t.Errorf("context of %d bytes: got %x (%v), want %x", len(context), got, err, want)
		}
	}
	if Exporter13(h, make([]byte, 1), master, strings.Repeat("n", 250), nil) == nil {
		t.Error("a label of 250 bytes was accepted")
	}
	if Exporter13(h, make([]byte, 255*48+1), master, "n", nil) == nil {
		t.Error("more output than HKDF has was given")
	}
}
