package capture

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/gopacket/gopacket"
	glayers "github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

var update = flag.Bool("update", false, "write the capture of the example again")

const sample = "testdata/two.pcapng"

// TestSample reads the capture that the example shows: two connections, and their secrets.
func TestSample(t *testing.T) {
	if *update {
		first := speak(t, tls.VersionTLS13, devca.ECDSA, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", nil)
		second := speak(t, tls.VersionTLS12, devca.ECDSA, "GET /more HTTP/1.1\r\nHost: localhost\r\n\r\n", nil)
		again := testEnds()
		again.client = netip.MustParseAddrPort("192.0.2.1:49153")
		all := append(testEnds().frames(t, segments(first.said), ethernet), again.frames(t, segments(second.said), ethernet)...)
		if err := os.WriteFile(sample, ngOf(t, append(slices.Clone(first.log), second.log...), all), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	all, totals, err := readAll(t, file, nil)
	if err != nil || len(all) != 2 || totals.Secrets == 0 {
		t.Fatalf("%d connections, %d secrets, %v", len(all), totals.Secrets, err)
	}
	all[0].wants(t, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	all[1].wants(t, "GET /more HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

// ngOf writes pcapng by gopacket, with a key log in it.
func ngOf(t testing.TB, log []byte, all []frame) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, glayers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteDecryptionSecretsBlock(pcapgo.DSB_SECRETS_TYPE_TLS, log); err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: f.at, CaptureLength: len(f.b), Length: f.length}, f.b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
