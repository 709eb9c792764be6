package attacks

import (
	"bytes"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// BEAST (CVE-2011-3389): where the IV of a record is the last block of the one
// before, an attacker that may choose plaintext can have a guess encrypted as a secret
// block was, and see on the wire whether it is right. So in SSL 3.0 and TLS 1.0
// the first byte travels alone: behind its MAC, the IV of the rest is unknown
// until it is used.

func isCBC(s *suite.Suite) bool { return s.Cipher != nil && s.Cipher.Block != nil }

func isChained(v wire.Version) bool { return v <= wire.TLS10 }

// tap notes the plaintext of a side's records of application data.
func tap(c *tls.Config) *[]int {
	sizes := new([]int)
	c.Trace = &trace.Hooks{Record: func(r trace.Record) {
		if r.Dir == trace.Sent && r.Type == wire.ContentApplicationData {
			*sizes = append(*sizes, len(r.Plain))
		}
	}}
	return sizes
}

// Every CBC suite in every version, and every length: one byte, then the rest,
// where IVs are chained; and what was written in one piece elsewhere.
func TestBEASTSplit(t *testing.T) {
	suites(t, isCBC, func(t *testing.T, s *suite.Suite, v wire.Version) {
		client, server := configs(s, v)
		fromClient, fromServer := tap(client), tap(server)
		e := connect(t, client, server, nil).well(t)
		for _, side := range []struct {
			from, to *tls.Conn
			role     wire.Role
			sizes    *[]int
		}{{e.client, e.server, wire.Client, fromClient}, {e.server, e.client, wire.Server, fromServer}} {
			for _, n := range []int{1, 2, 17, 16384, 16385} {
				*side.sizes = nil
				before := len(e.records(side.role))
				if _, err := side.from.Write(make([]byte, n)); err != nil {
					t.Fatal(err)
				}
				receive(t, side.to, n)
				var want []int
				for left := n; left > 0; left -= min(left, record.MaxPlaintext) {
					fragment := min(left, record.MaxPlaintext)
					if isChained(v) && fragment > 1 {
						want, fragment = append(want, 1), fragment-1
					}
					want = append(want, fragment)
				}
				if !slices.Equal(*side.sizes, want) {
					t.Errorf("the %v wrote %d bytes in records of %v; want %v", side.role, n, *side.sizes, want)
				}
				if onWire := len(e.records(side.role)) - before; onWire != len(want) {
					t.Errorf("the %v wrote %d bytes in %d records on the wire; want %d", side.role, n, onWire, len(want))
				}
			}
		}
	})
}

func receive(t *testing.T, c *tls.Conn, n int) {
	t.Helper()
	for buf := make([]byte, 1<<15); n > 0; {
		got, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		n -= got
	}
}

// The attack itself: the attacker sees the wire, guesses the secret rightly, and
// chooses what is written next. It must not see that the guess is right.
func TestBEASTGuess(t *testing.T) {
	suites(t, isCBC, func(t *testing.T, s *suite.Suite, v wire.Version) {
		client, server := configs(s, v)
		client.Legacy.NoEncryptThenMAC = true
		e := connect(t, client, server, nil).well(t)
		n := s.Cipher.BlockLen
		secret := bytes.Repeat([]byte{0x42}, 1+n)
		for _, ahead := range []int{0, 1} { // whether the secret begins with a record, or after its first byte
			written := []byte{'x'}[:ahead:ahead]
			before := blocks(e, n)
			write(t, e.client, append(bytes.Clone(written), secret[:n]...))
			after := blocks(e, n)
			seen := after[len(before):]
			// Which block the secret became, and what was its IV, depends on the
			// alignment: the attacker tries all.
			for i := range seen {
				iv := after[len(before)+i-1]
				last := after[len(after)-1]
				guess := bytes.Clone(secret[:n])
				for j := range guess {
					guess[j] ^= iv[j] ^ last[j]
				}
				have := len(blocks(e, n))
				write(t, e.client, append(bytes.Clone(written), guess...))
				for _, b := range blocks(e, n)[have:] {
					if bytes.Equal(b, seen[i]) {
						t.Fatalf("the guess gives the block of the secret, so it can be tested")
					}
				}
				after = blocks(e, n)
			}
		}
	})
}

func write(t *testing.T, c *tls.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

// blocks are those of the client's records that hold application data, after
// the last of its Finished.
func blocks(e *ends, n int) (out [][]byte) {
	settle()
	for _, rec := range e.records(wire.Client) {
		if typeOf(rec) == wire.ContentApplicationData || typeOf(rec) == wire.ContentHandshake && (len(rec)-record.HeaderLen)%n == 0 {
			out = slices.AppendSeq(out, slices.Chunk(rec[record.HeaderLen:], n))
		}
	}
	return out
}
