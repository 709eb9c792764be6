package explain

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/wire"
)

// scopes are under what names a message's meanings are looked up, the most
// specific first: what a message says depends on when it comes.
func (m *Message) scopes() (all []string) {
	add := func(when bool, what string) {
		if when {
			all = append(all, m.Name+"/"+what)
		}
	}
	add(m.SSL2, "SSL2")
	add(m.hs.late && m.PostHandshake, "late")
	add(m.hs.before != nil && !m.hs.late && !m.PostHandshake, "again")
	old := m.hs.version < wire.TLS13
	switch p := m.parsed.(type) {
	case *wire.ClientHello:
		add(slices.Contains(p.CompressionMethods, wire.CompressionDeflate), "deflate")
		old = !p.Extensions.Has(wire.ExtSupportedVersions)
	case *wire.ServerHello:
		add(p.CompressionMethod == wire.CompressionDeflate, "deflate")
	case *wire.Certificate:
		add(len(p.Entries) == 0, "empty")
	}
	add(m.hs.exchange != wire.KeyExchangeNone, m.hs.exchange.String())
	add(old, "old")
	return append(all, m.Name)
}

// note adds to the fields what only their values tell.
func (m *Message) note() {
	group := ""
	if p, ok := m.parsed.(*wire.ServerKeyExchange); ok && p.P != nil {
		group = fmt.Sprintf("The prime of the group: %s, %s bits.", dhGroup(p.P, p.G), words.Thousands(dhBits(p.P)))
	}
	for i := range m.Fields {
		switch f := &m.Fields[i]; {
		case f.Group && f.Name == "dh_p":
			f.Meaning = group
		case !f.Group && (f.Name == "psk_identity" || f.Name == "psk_identity_hint"):
			f.Value = strconv.Quote(string(f.Bytes))
		}
	}
}

// ssl2 reports that the record holds a ClientHello in the format of SSL 2.0,
// which has a header of its own. RFC 5246 §E.2.
func (r *Record) ssl2() bool {
	return r.Refused == "" && r.Epoch == 0 && r.typ == wire.ContentHandshake && len(r.Wire) > 0 && wire.SSL2HelloLen(r.Wire) == len(r.Wire)
}

func ssl2Header(raw []byte) []Field {
	return []Field{{Length: wire.SSL2HeaderLen, Name: "length", Value: strconv.Itoa(len(raw) - wire.SSL2HeaderLen), Ref: "RFC 5246 §E.2",
		Meaning: "The header of an SSL 2.0 record: 15 bits of length after a bit that is set.", Bytes: raw[:wire.SSL2HeaderLen]}}
}

// noteRecords says of records what only their order tells: the first byte of a
// write has a record of its own where the next IV could be foreseen.
func (c *Connection) noteRecords(openers map[keysOf]*opener) {
	waiting := map[wire.Role]*Record{}
	for _, e := range c.Events {
		r := e.Record
		if r == nil || r.Epoch == 0 {
			continue
		}
		o := openers[keysOf{r.from, r.Epoch}]
		if r.gap {
			waiting[r.from] = nil
		}
		if first := waiting[r.from]; first != nil && r.typ == wire.ContentApplicationData && r.Epoch == first.Epoch {
			first.Note = "The first byte stands alone, so that the IV of the next record, the end of this one, is unpredictable (BEAST)."
			first.split = true
		}
		waiting[r.from] = nil
		if o != nil && o.Chained() && r.typ == wire.ContentApplicationData && len(r.Plain) == 1 {
			waiting[r.from] = r
		}
	}
}
