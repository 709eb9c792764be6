package scan

import (
	"context"
	"crypto/cipher"
	"encoding/binary"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/wire"
)

// A spoiled record is one of CBC that a server has to refuse, whichever way, with the same
// words.
type spoiled struct {
	mac, padding bool
}

// run sends an application's record with a MAC or a padding, or both, that are wrong.
func (s spoiled) run(c *conversation) error {
	suite := c.suite
	if suite == nil || suite.Cipher.Block == nil || c.s12.block.ClientKey == nil {
		return fail(Unsupported, "the suite has no padding")
	}
	content := c.a.Probe.content()
	var head [13]byte
	binary.BigEndian.PutUint64(head[:], c.out.Seq())
	head[8] = byte(wire.ContentApplicationData)
	binary.BigEndian.PutUint16(head[9:], uint16(c.a.Version))
	binary.BigEndian.PutUint16(head[11:], uint16(len(content)))
	plain := append([]byte(nil), content...)
	plain = keys.HMAC(suite.MAC.Hash, plain, c.s12.block.ClientMAC, head[:], content)
	if s.mac {
		plain[len(plain)-1] ^= 1
	}
	size := suite.Cipher.BlockLen
	pad := size - (len(plain)+1)%size
	if pad < size/2 { // long enough to have wrong bytes in it
		pad += size
	}
	for range pad + 1 {
		plain = append(plain, byte(pad))
	}
	if s.padding {
		plain[len(plain)-2] ^= 0x55
	}
	block, err := suite.Cipher.Block(c.s12.block.ClientKey)
	if err != nil {
		return err
	}
	iv := chance(size)
	sealed := append([]byte(nil), iv...)
	if c.a.Version <= wire.TLS10 {
		iv, sealed = c.lastSent(size), nil
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(plain, plain)
	sealed = append(sealed, plain...)
	record := []byte{byte(wire.ContentApplicationData), byte(c.a.Version >> 8), byte(c.a.Version), byte(len(sealed) >> 8), byte(len(sealed))}
	return c.write(append(record, sealed...))
}

// lastSent are the last bytes that we have sent, from which IVs are chained.
func (c *conversation) lastSent(n int) []byte {
	for i := len(c.a.wire) - 1; i >= 0; i-- {
		if chunk := c.a.wire[i]; chunk.from == wire.Client && len(chunk.bytes) >= n {
			return append([]byte(nil), chunk.bytes[len(chunk.bytes)-n:]...)
		}
	}
	return make([]byte, n)
}

// content is what a probe sends as an application's data: a request of HTTP.
func (p *Probe) content() []byte {
	if p.data != nil {
		return p.data
	}
	return []byte("\r\n")
}

// spoiling sends a spoiled record, and says how the server answers: by data, where it has
// taken it.
func (x *audit) spoiling(ctx context.Context, how spoiled) (a *Answer, said string) {
	a, said = x.spoilingAfter(ctx, x.greeting(), how)
	if said == accepted && x.speaksHTTP() {
		// What came may be the greeting of a server that speaks something else at this port.
		return x.spoilingAfter(ctx, []Step{hearGreeting(2 * quiet)}, how)
	}
	return a, said
}

// spoilingAfter is spoiling behind other steps.
func (x *audit) spoilingAfter(ctx context.Context, before []Step, how spoiled) (a *Answer, said string) {
	v := x.best12()
	suites := x.cbc(v)
	if len(suites) == 0 {
		return nil, ""
	}
	h := Offer(v, suites...)
	h.Without = append(h.Without, wire.ExtEncryptThenMAC)
	a = x.do(ctx, Probe{Name: "a record with a wrong padding or MAC", Hello: h, Until: Complete, data: x.request(), Then: append(before, how, hearReply(patience))})
	switch {
	case a == nil || a.End != Reached:
		return nil, ""
	case replied(a) && !x.turnsAway(a):
		return a, accepted
	}
	return a, endOf(a)
}

// turnsAway reports that the server ended a conversation as one does that refuses what it got.
// Servers of HTTP hang up behind their answer; others go on.
func (x *audit) turnsAway(a *Answer) bool {
	if code, alerted := a.Alert(); alerted {
		return code != wire.AlertCloseNotify
	}
	return !x.speaksHTTP() && (a.After == Closed || a.After == Reset)
}

// accepted is what is said of a server that answers a spoiled record.
const accepted = "it is taken"

// cbc are the suites with CBC of a version of TLS, of which a record can be spoiled.
func (x *audit) cbc(v wire.Version) (ids []wire.CipherSuite) {
	if v <= wire.SSL30 {
		return nil
	}
	for _, id := range x.completable(v) {
		if strings.Contains(SuiteName(id), "_CBC_") {
			ids = append(ids, id)
		}
	}
	return ids
}

// poodle looks whether CBC's padding is checked at all.
func (x *audit) poodle(ctx context.Context) (bool, string) {
	if len(x.cbc(x.best12())) == 0 {
		return false, ""
	}
	a, said := x.spoiling(ctx, spoiled{padding: true})
	switch {
	case a == nil:
		return false, "the probe ended early"
	case said == accepted:
		x.found("poodle-tls", a, "a record with a right MAC and a wrong byte in its padding is answered with data")
		return true, ""
	case said == string(TimedOut):
		return false, "the server does not answer"
	}
	return false, ""
}

// zombie looks whether a wrong padding is told apart where the MAC is right.
func (x *audit) zombie(ctx context.Context) (bool, string) {
	return x.oracle(ctx, "zombie-poodle", spoiled{padding: true}, spoiled{padding: true, mac: true})
}

// goldendoodle looks whether a wrong MAC is told apart where the padding is right.
func (x *audit) goldendoodle(ctx context.Context) (bool, string) {
	return x.oracle(ctx, "goldendoodle", spoiled{mac: true}, spoiled{padding: true, mac: true})
}

// oracle compares what the server says to two spoiled records, twice.
func (x *audit) oracle(ctx context.Context, id string, one, other spoiled) (bool, string) {
	if len(x.cbc(x.best12())) == 0 {
		return false, ""
	}
	var first, second [2]string
	var proof *Answer
	for i := range 2 {
		a, said := x.spoiling(ctx, one)
		b, again := x.spoiling(ctx, other)
		if a == nil || b == nil {
			return false, "the probe ended early"
		}
		if said == again || said == accepted || again == accepted {
			return false, ""
		}
		first[i], second[i], proof = said, again, a
	}
	if first[0] != first[1] || second[0] != second[1] {
		return false, "it answers the same differently"
	}
	x.found(id, proof, one.String()+": "+first[0], other.String()+": "+second[0])
	return true, ""
}

func (s spoiled) String() string {
	switch {
	case s.mac && s.padding:
		return "wrong MAC and wrong padding"
	case s.mac:
		return "wrong MAC"
	}
	return "wrong padding"
}
