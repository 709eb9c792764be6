package handshake

import (
	stdtls "crypto/tls"
	"fmt"

	"github.com/vitrine-tls/vitrine/wire"
)

// What the application or the peer determines may be longer than what its length can
// say. The lists of a Config are measured when it is resolved; here is the rest.

const (
	maxVector = 1<<16 - 1 // what a length of two bytes can say
	maxLong   = 1<<24 - 1 // what one of three bytes can say
	// maxAuthorities is for the names in a CertificateRequest. Few peers take a message
	// above 64 KiB, and the signature schemes are in it too.
	maxAuthorities = 60 << 10
)

// authorities are the names of the CAs whose certificates the server accepts; none
// where they would take too much room. Without a list a client shows what it has; by
// one that is cut, a client of an authority left out would show nothing.
func (s *State) authorities() [][]byte {
	size := 0
	for _, name := range s.Config.ClientCAs {
		size += 2 + len(name)
	}
	if size > maxAuthorities {
		return nil
	}
	return s.Config.ClientCAs
}

// fits is an error for a message of ours that could not be written.
func fits(m wire.Message) error {
	switch m := m.(type) {
	case *wire.ClientHello:
		return extensionsFit(m.Type(), m.Extensions)
	case *wire.ServerHello:
		return extensionsFit(m.Type(), m.Extensions)
	case *wire.EncryptedExtensions:
		return extensionsFit(m.Type(), m.Extensions)
	case *wire.CertificateRequest:
		return extensionsFit(m.Type(), m.Extensions)
	case *wire.Certificate:
		return chainFits(m)
	case *wire.CertificateStatus:
		size := 0
		for _, der := range m.Responses {
			size += 3 + len(der)
		}
		return tooLong("what is stapled to our chain", max(size, len(m.Response)), maxLong-4)
	case *wire.ServerKeyExchange:
		return tooLong("the signature of our certificate's key", len(m.Signature), maxVector)
	case *wire.CertificateVerify:
		return tooLong("the signature of our certificate's key", len(m.Signature), maxVector)
	}
	return nil
}

// tooLong is an error where size is more than most.
func tooLong(what string, size, most int) error {
	if size <= most {
		return nil
	}
	return fault(wire.AlertInternalError, fmt.Sprintf("%s takes %d bytes; at most %d can be sent", what, size, most), "", nil)
}

func extensionsFit(t wire.HandshakeType, x wire.Extensions) error {
	size, longest := 0, 0
	for i := range x {
		size += 4 + len(x[i].Data)
		if len(x[i].Data) > len(x[longest].Data) {
			longest = i
		}
	}
	if size <= maxVector {
		return nil
	}
	return tooLong(fmt.Sprintf("what our %v has of extensions, the longest of which is %v with %d,", t, x[longest].Type, len(x[longest].Data)), size, maxVector)
}

func chainFits(m *wire.Certificate) error {
	size := 1 + len(m.RequestContext) + 3
	for i := range m.Entries {
		if err := extensionsFit(m.Type(), m.Entries[i].Extensions); err != nil {
			return err
		}
		size += 3 + len(m.Entries[i].DER) + 2
		for _, x := range m.Entries[i].Extensions {
			size += 4 + len(x.Data)
		}
	}
	return tooLong("our certificate chain", size, maxLong)
}

// staplesFit measures what a certificate brings with it.
func staplesFit(c *stdtls.Certificate) error {
	size := 2
	for _, sct := range c.SignedCertificateTimestamps {
		size += 2 + len(sct)
	}
	if err := tooLong("what our certificate has of SignedCertificateTimestamps", size, maxVector); err != nil {
		return err
	}
	return tooLong("our certificate's OCSPStaple", len(c.OCSPStaple), maxVector-4)
}
