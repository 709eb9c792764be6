package passive

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// script is what is heard, in one piece of bytes: for each piece a byte that says from
// whom it is and whether it is missing, its length, and itself.
func (h *heard) script() (all []byte) {
	for _, p := range h.pieces {
		for b := p.b; len(b) > 0; {
			n := min(len(b), 0xffff)
			all = append(binary.BigEndian.AppendUint16(append(all, byte(p.from)), uint16(n)), b[:n]...)
			b = b[n:]
		}
	}
	return all
}

// follow plays a script: of a piece whose first byte has its third bit set only the length
// counts, by so many bytes are missing.
func follow(l *Listener, script []byte) {
	for len(script) >= 3 {
		from, n := wire.Client+wire.Role(script[0]+1)%2, int(binary.BigEndian.Uint16(script[1:]))
		missing := script[0]&4 != 0
		script = script[3:]
		switch {
		case missing && n == 0xffff:
			l.Gap(from, time.Time{}, -1)
		case missing:
			l.Gap(from, time.Time{}, int64(n))
		default:
			n = min(n, len(script))
			l.Data(from, time.Time{}, script[:n])
			script = script[n:]
		}
	}
	l.Stop(time.Time{})
	l.End(wire.Client, time.Time{})
}

var anew = flag.Bool("record", false, "record the seeds of FuzzListener anew")

// keepSeeds keeps a connection of each kind, with their keys. They are no secrets of
// anybody's.
func keepSeeds(f *testing.F) {
	var log []byte
	for _, v := range everyVersion {
		for name, how := range map[string]func(*ends){
			"plain":      func(*ends) {},
			"asked":      func(p *ends) { p.server.ClientAuth = tls.RequestClientCert },
			"compressed": func(p *ends) { p.client.Legacy.Compression, p.server.Legacy.Compression = true, true },
			"cbc": func(p *ends) {
				p.client.CipherSuites = []uint16{uint16(wire.TLS_RSA_WITH_AES_128_CBC_SHA), uint16(wire.TLS_CHACHA20_POLY1305_SHA256)}
			},
			"rc4": func(p *ends) {
				p.client.CipherSuites = []uint16{uint16(wire.TLS_RSA_WITH_RC4_128_SHA), uint16(wire.TLS_AES_256_GCM_SHA384)}
			},
		} {
			p := newEnds(f, devca.ECDSA)
			if v < wire.TLS13 {
				p = newEnds(f, devca.RSA)
			}
			p.at(v)
			how(p)
			p.server.CipherSuites = p.client.CipherSuites
			h := p.connect(f)
			log = append(log, h.log...)
			if err := os.WriteFile(fmt.Sprintf("testdata/%x-%s.heard", uint16(v), name), h.script(), 0o644); err != nil {
				f.Fatal(err)
			}
		}
	}
	if err := os.WriteFile("testdata/keylog", log, 0o644); err != nil {
		f.Fatal(err)
	}
}

// Whatever two streams hold, with their keys or without: no panic, and what is kept is
// bounded. What is opened the records' own MACs have confirmed, so nothing in it is of
// other bytes.
func FuzzListener(f *testing.F) {
	if *anew {
		keepSeeds(f)
	}
	log, err := os.ReadFile("testdata/keylog")
	files, _ := filepath.Glob("testdata/*.heard")
	if err != nil || len(files) < 20 {
		f.Fatal("the seeds are missing", err)
	}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		keys := logOf(log)
		for _, l := range []*Listener{New(new(events).hooks(), keys, new(Sessions)), New(new(events).hooks(), nil, nil), New(nil, keys, nil)} {
			follow(l, script)
			for _, d := range l.dirs {
				if cap(d.buf) > 2*maxScan || cap(d.hand) > 2*(maxCertificate+maxFragment) || cap(d.work) > 2*(maxFragment+5) {
					t.Fatalf("it keeps %d, %d and %d bytes", cap(d.buf), cap(d.hand), cap(d.work))
				}
			}
		}
	})
}
