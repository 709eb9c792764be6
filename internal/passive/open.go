package passive

import (
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// opened is what a protected record holds.
type opened struct {
	typ     wire.ContentType
	content []byte
	padding int
	seq     uint64
}

// protected takes a protected record.
func (l *Listener) protected(d *direction, h record.Header, rec []byte) {
	x, why := l.open(d, rec)
	if why != "" {
		d.fails++
		l.sum.unopened(why)
		l.report(d, trace.Record{Epoch: d.epoch, Seq: d.seq, Type: h.Type, Wire: rec, Unopened: why})
		d.seq++
		d.hand = nil // what it began does not go on
		if d.slack > 0 {
			d.fails = 0 // which of them counted is not known anyway
		}
		l.tear(d)
		if h.Type == wire.ContentChangeCipherSpec {
			l.changeCipherSpec(d)
		}
		return
	}
	d.seq, d.slack, d.fails, d.gapped = x.seq+1, 0, 0, false
	l.sum.side(d.from).Opened++
	l.report(d, trace.Record{Epoch: d.epoch, Seq: x.seq, Type: x.typ, Wire: rec, Plain: x.content, Padding: x.padding})
	l.content(d, x.typ, x.content)
}

// tear notes that a message of the handshake may have been missed.
func (l *Listener) tear(d *direction) {
	if l.hs != nil && !l.hs.finished[d.from] {
		l.hs.torn = true
	}
}

// open opens rec, or says why it cannot.
func (l *Listener) open(d *direction, rec []byte) (x opened, why string) {
	if d.opener == nil {
		l.look(d)
	}
	if d.opener != nil {
		if x, why = l.openWith(d, d.opener, rec); why == "" {
			d.remember(rec)
			return x, ""
		}
	} else {
		why = l.noKey(d)
	}
	for _, c := range l.candidates(d) {
		if y, ok := l.search(d, c.opener, rec, 0, d.slack); ok {
			l.move(d, c)
			return y, ""
		}
	}
	d.remember(rec)
	return x, why
}

// openWith opens rec with the keys of d's epoch.
func (l *Listener) openWith(d *direction, o *opener, rec []byte) (x opened, why string) {
	unsure := d.fails > 0 || d.slack > 0 || d.seq != o.half.Seq()
	switch {
	case unsure && o.runsOn():
		return x, o.runsOnWords()
	case unsure && o.chained() && len(d.last) == 0:
		return x, "the record before it, whose end is its IV, is missing"
	}
	x, ok := l.searchAll(d, o, rec)
	switch {
	case !ok && d.slack > 0:
		return x, "it opens under none of the sequence numbers that it could have after the bytes that are missing"
	case !ok && d.fails == 0 && d.seq == 0:
		return x, "it does not open with the key that " + o.source + " gives: the key is wrong, or the record was damaged"
	case !ok:
		return x, "it does not open: it was damaged, or records before it are missing"
	}
	if o.inflate == nil {
		return x, ""
	}
	var err error
	if o.swollen, err = o.inflate.Append(o.swollen[:0], x.content); err != nil {
		return x, "what is in it does not decompress"
	}
	x.content = o.swollen
	return x, ""
}

func (o *opener) runsOnWords() string {
	if o.inflate != nil {
		return "it is compressed, and refers to what was in records before it that are missing"
	}
	return o.params.Suite.Cipher.Name + " goes on from record to record, and one before it is missing or did not open"
}

// searchAll tries the sequence numbers that rec could have, the likely ones first.
func (l *Listener) searchAll(d *direction, o *opener, rec []byte) (x opened, ok bool) {
	if x, ok = l.try(d, o, rec, d.seq); ok {
		return x, true
	}
	const most = 8 // records that somebody may have put in between, which their receiver did not count
	for back := 1; back <= min(d.fails, most, int(min(d.seq, most))); back++ {
		if x, ok = l.try(d, o, rec, d.seq-uint64(back)); ok {
			return x, true
		}
	}
	if d.slack == 0 {
		return x, false
	}
	if hint, found := d.hint(o, rec); found && hint > d.seq && hint <= d.seq+uint64(d.slack) {
		if x, ok = l.try(d, o, rec, hint); ok {
			return x, true
		}
	}
	return l.search(d, o, rec, d.seq+1, d.slack-1)
}

// search tries the sequence numbers from first to first+more.
func (l *Listener) search(d *direction, o *opener, rec []byte, first uint64, more int) (x opened, ok bool) {
	for n := 0; n <= more; n++ {
		if x, ok = l.try(d, o, rec, first+uint64(n)); ok {
			return x, true
		}
		if l.tried > maxTried {
			return x, false
		}
	}
	return x, false
}

// maxTried bounds the bytes that are opened in vain for one connection, where each try
// counts as tryCost bytes more.
const (
	maxTried = 64 << 20
	tryCost  = 1 << 10
)

// try opens a copy of rec as the record number seq.
func (l *Listener) try(d *direction, o *opener, rec []byte, seq uint64) (x opened, ok bool) {
	if seq != o.half.Seq() || o.chained() && d.fails+d.slack > 0 {
		if !o.half.SkipTo(seq, d.last) {
			return x, false
		}
	}
	d.work = append(d.work[:0], rec...)
	typ, content, padding, err := o.half.Open(d.work)
	if err != nil {
		l.tried += int64(len(rec)) + tryCost
		return x, false
	}
	return opened{typ, content, padding, seq}, true
}

// explicitLen is the part of the nonce in each record of TLS 1.2 that most senders count up.
const explicitLen = 8

// hint is the sequence number that rec should have if its sender counts its nonces up.
func (d *direction) hint(o *opener, rec []byte) (seq uint64, found bool) {
	if o.params.Suite.Cipher.AEAD == nil || o.params.Suite.Cipher.ExplicitNonceLen != explicitLen || len(d.last) != explicitLen || len(rec) < record.HeaderLen+explicitLen {
		return 0, false
	}
	return d.lastSeq + binary.BigEndian.Uint64(rec[record.HeaderLen:]) - binary.BigEndian.Uint64(d.last), true
}

// remember keeps of rec what the next one may need: the end of its ciphertext, or the
// nonce that it carries.
func (d *direction) remember(rec []byte) {
	d.last = d.last[:0]
	o := d.opener
	if o == nil {
		return
	}
	fragment := rec[record.HeaderLen:]
	switch c := o.params.Suite.Cipher; {
	case o.chained():
		end := len(fragment)
		if o.params.EncryptThenMAC {
			end -= o.params.Suite.MAC.Len
		}
		if end >= c.BlockLen {
			d.last = append(d.last, fragment[end-c.BlockLen:end]...)
		}
	case c.AEAD != nil && c.ExplicitNonceLen == explicitLen && len(fragment) >= explicitLen:
		d.last, d.lastSeq = append(d.last, fragment[:explicitLen]...), d.seq
	}
}

// noMaster is what is missing up to TLS 1.2.
const noMaster = "no key log has " + logMaster + " for this connection"

// noKey says why the keys of d's epoch are not known.
func (l *Listener) noKey(d *direction) string {
	hs := d.of
	switch {
	case hs == nil && d.epoch == 0:
		return "the handshake before it was not captured"
	case hs == nil || hs.hello == nil:
		return "the ClientHello was not captured, by whose random keys are found"
	case hs.answer == nil && d.stage == early:
		return "it is early data, and no key log has CLIENT_EARLY_TRAFFIC_SECRET for this connection"
	case hs.answer == nil:
		return "the ServerHello was not captured"
	case hs.suite == nil:
		return "the cipher suite " + hs.answer.CipherSuite.String() + " is not known here"
	case hs.is13():
		return "no key log has " + traffic[d.stage][d.from].log + " for this connection"
	case hs.resumed:
		return noMaster + ", and the keys of the connection that it resumes are not known either"
	case hs.suite.KeyExchange == wire.KeyExchangeRSA:
		return noMaster + ", and the server's RSA key is not known either"
	case hs.suite.KeyExchange == wire.KeyExchangePSK:
		return noMaster + ", and the pre-shared key is not known either"
	case hs.suite.KeyExchange == wire.KeyExchangeRSAPSK:
		return noMaster + ", and it takes both the server's RSA key and the pre-shared key otherwise"
	}
	return noMaster
}
