package keys

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// old are the versions that these schedules serve.
var old = []struct {
	version  wire.Version
	schedule *Schedule
}{
	{wire.SSL30, SSL30}, {wire.TLS10, TLS10}, {wire.TLS11, TLS11}, {wire.TLS12, TLS12},
}

// The key block of every suite in every version is cut into what the suite
// takes; only where IVs are chained is the first one of CBC in it.
func TestKeyBlock(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	master, cr, sr := random(r, 48), random(r, 32), random(r, 32)
	for _, v := range old {
		for _, s := range suite.All() {
			if !s.Allows(v.version) {
				continue
			}
			mac, iv := 0, s.Cipher.FixedIVLen
			if s.MAC != nil {
				mac = s.MAC.Len
			}
			if v.version <= wire.TLS10 {
				iv = s.Cipher.BlockLen
			}
			var buf [256]byte
			k := v.schedule.KeyBlock(s, buf[:0], master, cr, sr)
			parts := [][]byte{k.ClientMAC, k.ServerMAC, k.ClientKey, k.ServerKey, k.ClientIV, k.ServerIV}
			for i, n := range []int{mac, mac, s.Cipher.KeyLen, s.Cipher.KeyLen, iv, iv} {
				if len(parts[i]) != n || cap(parts[i]) != n {
					t.Errorf("%v, %v: part %d has length %d and capacity %d, want %d", v.version, s, i, len(parts[i]), cap(parts[i]), n)
				}
			}
			n := v.schedule.KeyBlockLen(s)
			want := map[wire.Version]func() []byte{
				wire.SSL30: func() []byte { return expansion30(n, master, sr, cr) },
				wire.TLS10: func() []byte { return prf10(n, master, "key expansion", append(sr[:32:32], cr...)) },
				wire.TLS11: func() []byte { return prf10(n, master, "key expansion", append(sr[:32:32], cr...)) },
				wire.TLS12: func() []byte { return prf12(s.Hash, n, master, "key expansion", append(sr[:32:32], cr...)) },
			}[v.version]()
			if got := bytes.Join(parts, nil); !bytes.Equal(got, want) || !bytes.Equal(buf[:len(want)], want) {
				t.Errorf("%v, %v: got %x, want %x", v.version, s, got, want)
			}
			if got := v.schedule.KeyBlock(s, nil, master, cr, sr); !bytes.Equal(got.ServerKey, k.ServerKey) {
				t.Errorf("%v, %v: without a buffer the server's key is %x instead of %x", v.version, s, got.ServerKey, k.ServerKey)
			}
		}
	}
}

// What a profile relies on: which functions there are, and how long a result is.
func TestSchedules(t *testing.T) {
	s := suite.ByID(wire.TLS_RSA_WITH_AES_256_CBC_SHA)
	for _, v := range old {
		x, h := v.schedule, v.schedule.Hash(s)
		if want := map[bool]*suite.Hash{true: s.Hash, false: MD5SHA1}[v.version == wire.TLS12]; h != want {
			t.Errorf("%v: the hash is %s, want %s", v.version, h.Name, want.Name)
		}
		if (x.ExtendedMaster != nil) != (v.version >= wire.TLS10) || (x.CertificateVerify != nil) != (v.version < wire.TLS12) {
			t.Errorf("%v: extended master secret %v, CertificateVerify %v", v.version, x.ExtendedMaster != nil, x.CertificateVerify != nil)
		}
		master := x.Master(h, []byte{1}, []byte("premaster"), make([]byte, 32), make([]byte, 32))
		if len(master) != 1+MasterSecretLen || master[0] != 1 {
			t.Errorf("%v: the master secret is %x", v.version, master)
		}
		transcript := h.New()
		fmt.Fprint(transcript, "messages")
		before := transcript.Sum(nil)
		client := x.Finished(h, nil, master, wire.Client, transcript)
		server := x.Finished(h, []byte{1}, master, wire.Server, transcript)
		if len(client) != x.FinishedLen || len(server) != 1+x.FinishedLen || server[0] != 1 || bytes.Equal(client, server[1:]) {
			t.Errorf("%v: the Finished are %x and %x", v.version, client, server)
		}
		if x.CertificateVerify != nil {
			if got := x.CertificateVerify([]byte{1}, master, transcript); len(got) != 1+MD5SHA1.Size || got[0] != 1 {
				t.Errorf("%v: CertificateVerify signs %x", v.version, got)
			}
		}
		if !bytes.Equal(transcript.Sum(nil), before) {
			t.Errorf("%v: the transcript is not as it was", v.version)
		}
		if err := x.Exporter(h, make([]byte, 10), master, "label", cr32, cr32, nil); (err != nil) != (v.version == wire.SSL30) {
			t.Errorf("%v: the exporter gave the error %v", v.version, err)
		}
	}
}

var cr32 = make([]byte, 32)
