package revocation

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math/bits"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// index finds an entry of a list by its serial number without reading the list again: an
// open hash table of places in the entries, at most half full. A list of a million takes
// 8 MiB.
type index struct {
	seed  maphash.Seed
	slots []uint32 // 1 + the place of an entry; 0 for none
}

// entry is one revoked certificate.
type entry struct {
	at     time.Time
	reason Reason
}

// indexOf reads revokedCertificates, far enough to know that it can be read: the form of
// each entry, and that no critical extension goes unheeded.
func indexOf(entries []byte) (index, int, error) {
	n, err := walk(entries, nil)
	if err != nil || n == 0 {
		return index{}, 0, err
	}
	x := index{seed: maphash.MakeSeed(), slots: make([]uint32, 1<<bits.Len(uint(2*n)))}
	_, err = walk(entries, func(place int, serial []byte) {
		for at := x.home(serial); ; at = (at + 1) & (len(x.slots) - 1) {
			if x.slots[at] == 0 {
				x.slots[at] = uint32(place) + 1
				return
			}
		}
	})
	return x, n, err
}

func (x *index) home(serial []byte) int {
	return int(maphash.Bytes(x.seed, serial) & uint64(len(x.slots)-1))
}

var errMalformedEntry = errors.New("an entry of the list is malformed")

// walk goes through the entries. With f it trusts that an earlier walk has found them
// good. serial has no leading zeros.
func walk(entries []byte, f func(place int, serial []byte)) (n int, err error) {
	for place := 0; place < len(entries); n++ {
		body, next, ok := element(entries, place, 0x30)
		if !ok {
			return 0, errMalformedEntry
		}
		serial, after, ok := element(body, 0, 0x02)
		if !ok || len(serial) == 0 {
			return 0, errMalformedEntry
		}
		if f != nil {
			f(place, bytes.TrimLeft(serial, "\x00"))
		} else if err := inspect(body[after:]); err != nil {
			return 0, err
		}
		place = next
	}
	return n, nil
}

// element returns the content of the element with this tag at a place, and where the
// next begins. It is all that reading a million entries spends its time on.
func element(b []byte, place int, tag byte) (content []byte, next int, ok bool) {
	if place+2 > len(b) || b[place] != tag {
		return nil, 0, false
	}
	size, from := int(b[place+1]), place+2
	if size >= 0x80 {
		octets := size & 0x7f
		if octets == 0 || octets > 4 || from+octets > len(b) {
			return nil, 0, false
		}
		var wide [4]byte
		copy(wide[4-octets:], b[from:from+octets])
		size, from = int(binary.BigEndian.Uint32(wide[:])), from+octets
		if size < 0x80 || b[from-octets] == 0 {
			return nil, 0, false // DER has one way to write a length
		}
	}
	if size > len(b)-from {
		return nil, 0, false
	}
	return b[from : from+size], from + size, true
}

// inspect checks what follows the serial number of an entry. Most end after the time, or have nothing but a
// reason that is not critical, and those are told by their bytes.
func inspect(rest []byte) error {
	if len(rest) < 2 || rest[0] != 0x17 && rest[0] != 0x18 || int(rest[1]) > len(rest)-2 {
		return errMalformedEntry
	}
	rest = rest[2+int(rest[1]):]
	if len(rest) == 0 || len(rest) == len(onlyReason)+1 && bytes.HasPrefix(rest, onlyReason) {
		return nil
	}
	return entryExtensions(rest, func(id asn1.ObjectIdentifier, critical bool, _ []byte) error {
		switch {
		case id.Equal(oidCertIssuer):
			return errIndirect
		case id.Equal(oidReason):
			return nil
		}
		return refuseCritical(id, critical)
	})
}

// onlyReason is the beginning of crlEntryExtensions with a reasonCode alone, of which the
// last byte is the code.
var onlyReason = []byte{0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01}

func entryExtensions(rest cryptobyte.String, f func(asn1.ObjectIdentifier, bool, []byte) error) error {
	list := rest
	if !rest.SkipASN1(casn1.SEQUENCE) || !rest.Empty() {
		return errMalformedEntry
	}
	return eachExtension(list, f)
}

// find returns the entry of a serial number without leading zeros.
func (l *List) find(serial []byte) (entry, bool) {
	if len(l.index.slots) == 0 {
		return entry{}, false
	}
	for at := l.index.home(serial); l.index.slots[at] != 0; at = (at + 1) & (len(l.index.slots) - 1) {
		body, _, _ := element(l.entries, int(l.index.slots[at])-1, 0x30)
		if found, _, _ := element(body, 0, 0x02); bytes.Equal(bytes.TrimLeft(found, "\x00"), serial) {
			return readEntry(body), true
		}
	}
	return entry{}, false
}

// readEntry reads an entry that inspect has let pass. What cannot be read in it does not
// make a certificate less revoked.
func readEntry(body cryptobyte.String) (e entry) {
	if !body.SkipASN1(casn1.INTEGER) || !readTime(&body, &e.at) || body.Empty() {
		return e
	}
	err := entryExtensions(body, func(id asn1.ObjectIdentifier, _ bool, value []byte) error {
		v, n := cryptobyte.String(value), 0
		if id.Equal(oidReason) && v.ReadASN1Enum(&n) {
			if _, known := reasons[Reason(n)]; known && n < 256 {
				e.reason = Reason(n)
			}
		}
		return nil
	})
	if err != nil {
		return entry{at: e.at}
	}
	return e
}

func (l *List) String() string {
	kind := "CRL"
	if l.Base != nil {
		kind = "delta CRL"
	}
	return fmt.Sprintf("%s of %s with %d certificates", kind, l.ThisUpdate.UTC().Format(time.DateOnly), l.Entries)
}
