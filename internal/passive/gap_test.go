package passive

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// talk has the client say many things, of many lengths, and wait for each echo.
func talk(conn *tls.Conn) error {
	for i := range 24 {
		line := bytes.Repeat([]byte{'a' + byte(i)}, 1+i*i*5)
		if _, err := conn.Write(line); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, line); err != nil {
			return err
		}
	}
	return nil
}

// without is what is heard where the bytes of one side from a to b are missing. told: how
// many they are is known.
func (h *heard) without(side wire.Role, a, b int, told bool, l *Listener) {
	at := 0
	for _, p := range h.pieces {
		if p.from != side {
			l.Data(p.from, begin, p.b)
			continue
		}
		first, last := at, at+len(p.b)
		at = last
		if n := min(a, last) - first; n > 0 {
			l.Data(p.from, begin, p.b[:n])
		}
		if first <= a && a < last {
			n := int64(b - a)
			if !told {
				n = -1
			}
			l.Gap(side, begin, n)
		}
		if n := last - max(b, first); n > 0 {
			l.Data(p.from, begin, p.b[len(p.b)-n:])
		}
	}
	l.End(wire.Client, begin)
	l.End(wire.Server, begin)
}

func (h *heard) length(side wire.Role) (n int) {
	for _, p := range h.pieces {
		if p.from == side {
			n += len(p.b)
		}
	}
	return n
}

// mustBeTrue: what a listener has opened is what the client has seen under that number.
func (want *events) mustBeTrue(t *testing.T, got *events) (opened int) {
	t.Helper()
	type name struct {
		dir   trace.Direction
		epoch int
		seq   uint64
	}
	known := map[name]trace.Record{}
	for _, r := range want.records {
		known[name{r.Dir, r.Epoch, r.Seq}] = r
	}
	for _, r := range got.records {
		if r.Epoch == 0 || r.Unopened != "" || r.Err != nil {
			continue
		}
		opened++
		if w := known[name{r.Dir, r.Epoch, r.Seq}]; w.Type != r.Type || !bytes.Equal(w.Wire, r.Wire) || !bytes.Equal(w.Plain, r.Plain) {
			t.Errorf("the record %v of epoch %d, number %d is %.60q, not %.60q", r.Dir, r.Epoch, r.Seq, r.Plain, w.Plain)
		}
	}
	return opened
}

// gapSuites are one for each way to protect records.
var gapSuites = []struct {
	suite   wire.CipherSuite
	version wire.Version
	goes    bool // on after a gap
}{
	{wire.TLS_AES_128_GCM_SHA256, wire.TLS13, true},
	{wire.TLS_CHACHA20_POLY1305_SHA256, wire.TLS13, true},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, wire.TLS12, true},
	{wire.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, wire.TLS12, true},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, wire.TLS12, true},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, wire.TLS11, true},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, wire.TLS10, true},
	{wire.TLS_RSA_WITH_3DES_EDE_CBC_SHA, wire.SSL30, true},
	{wire.TLS_RSA_WITH_NULL_SHA, wire.TLS12, true},
	{wire.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, wire.TLS12, false},
}

// After a gap, of known length or not, at any place, records open again where the cipher
// allows that, and only those that are what the client has seen.
func TestGaps(t *testing.T) {
	for _, c := range gapSuites {
		t.Run(fmt.Sprint(c.suite, " ", c.version), func(t *testing.T) {
			t.Parallel()
			p := endsFor(t, suite.ByID(c.suite), c.version)
			p.before = talk
			h := p.connect(t)
			keys := logOf(h.log)
			random := rand.New(rand.NewPCG(1, 2))
			for range 60 {
				side := wire.Client + wire.Role(random.IntN(2))
				size := h.length(side)
				a := random.IntN(size - 1)
				b := min(size, a+1+random.IntN(1+random.IntN(3000)))
				told := random.IntN(4) > 0
				got := new(events)
				l := New(got.hooks(), keys, nil)
				h.without(side, a, b, told, l)
				opened := h.client.mustBeTrue(t, got)
				hello := a < len(of(h.client.records, dirOf(side), dirOfRecord)[0].Wire) // before keys are agreed on
				if tail := size - b; c.goes && !hello && tail > 10000 && !got.opensTo(side, size) {
					t.Errorf("%v, without the bytes from %d to %d of %d (told: %v): %d records open, not the last", side, a, b, size, told, opened)
					for _, r := range got.records {
						t.Logf("%v epoch %d seq %d type %v %d bytes: %s", r.Dir, r.Epoch, r.Seq, r.Type, len(r.Wire), r.Unopened)
					}
					t.Log(got.gaps)
					return
				}
				if s := l.Summary(); !s.side(side).Missing {
					t.Error("nothing is missing")
				}
			}
		})
	}
}

// opensTo reports that the last record of a side is open.
func (e *events) opensTo(side wire.Role, _ int) bool {
	all := of(e.records, dirOf(side), dirOfRecord)
	return len(all) > 0 && all[len(all)-1].Epoch > 0 && all[len(all)-1].Unopened == ""
}

// Where the capture ends within a record, the start of it is shown, and said to be no more.
func TestStopInARecord(t *testing.T) {
	h := endsFor(t, suite.ByID(wire.TLS_AES_128_GCM_SHA256), wire.TLS13).connect(t)
	got := new(events)
	l := New(got.hooks(), logOf(h.log), nil)
	last := h.pieces[len(h.pieces)-1]
	for _, p := range h.pieces[:len(h.pieces)-1] {
		l.Data(p.from, begin, p.b)
	}
	l.Data(last.from, begin, last.b[:len(last.b)-1])
	l.Stop(begin)
	l.Data(last.from, begin, last.b[len(last.b)-1:]) // nothing comes after Stop
	r := of(got.records, dirOf(last.from), dirOfRecord)
	if end := r[len(r)-1]; end.Unopened != "the capture ends in the middle of it" || len(end.Wire) == 0 || len(got.ends) > 0 {
		t.Errorf("the last record is %+v, and %d ends were seen", end, len(got.ends))
	}
	if l.Summary().Server.Closed {
		t.Error("the capture's end counts as the connection's")
	}
}
