package tls

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"unsafe"
)

// sessionKey names the server in the cache, and what of the Config a session stands
// for. Empty for a server without a name.
func (c *Conn) sessionKey() string {
	s := c.ofHandshake()
	if !s.hasKey {
		name := c.config.ServerName
		if name == "" {
			name = addressOf(c.conn)
			if host, _, err := net.SplitHostPort(name); err == nil && host == "" {
				name = ""
			}
		}
		if name != "" {
			name += " " + c.config.sessionKey()
		}
		s.cacheKey, s.hasKey = name, true
	}
	return s.cacheKey
}

// addressOf is empty for connections that are of no network.
func addressOf(c net.Conn) string {
	if c == nil { // over QUIC
		return ""
	}
	if addr := c.RemoteAddr(); addr != nil {
		return addr.String()
	}
	return ""
}

// sessionKey digests what must not differ between two Configs that share sessions:
// who we are there, whom we trust, which versions we speak, and how strict we were when the
// session was made, as what proved the server then is not done again. sessionFields in
// the tests says for every field of Config whether it stands here, and if not, why.
func (c *Config) sessionKey() string {
	b := binary.BigEndian.AppendUint16(nil, c.MinVersion)
	b = binary.BigEndian.AppendUint16(b, c.MaxVersion)
	b = fmt.Append(b, c.InsecureSkipVerify)
	b = append(c.appendRules(b), 0)
	if c.RootCAs != nil || c.GetClientCertificate != nil {
		b = fmt.Appendf(append(b, processSalt[:]...), "%p %p", c.RootCAs, closure(c.GetClientCertificate))
	}
	for i := range c.Certificates {
		for _, der := range c.Certificates[i].Certificate[:min(1, len(c.Certificates[i].Certificate))] {
			digest := sha256.Sum256(der)
			b = append(b, digest[:]...)
		}
	}
	for i := range c.RawPublicKeys.Keys {
		digest := keyDigest(&c.RawPublicKeys.Keys[i])
		b = append(b, digest[:]...)
	}
	digest := sha256.Sum256(b)
	return hex.EncodeToString(digest[:16])
}

// processSalt keeps keys that hold addresses apart from those of other processes, in
// which the same addresses are of other functions.
var processSalt = func() (salt [16]byte) { rand.Read(salt[:]); return salt }()

// appendRules appends what c demands of a handshake and a resumption does not do
// again: with which signatures, in which groups, behind which switches.
func (c *Config) appendRules(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(c.SignatureSchemes)))
	for _, s := range c.SignatureSchemes {
		b = binary.BigEndian.AppendUint16(b, uint16(s))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(c.CurvePreferences)))
	for _, g := range c.CurvePreferences {
		b = binary.BigEndian.AppendUint16(b, uint16(g))
	}
	for _, list := range [][]CertificateType{c.RawPublicKeys.Show, c.RawPublicKeys.Accept} {
		b = append(b, byte(len(list)))
		for _, t := range list {
			b = append(b, byte(t))
		}
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(c.Delegation.Accept)))
	for _, s := range c.Delegation.Accept {
		b = binary.BigEndian.AppendUint16(b, uint16(s))
	}
	b = binary.BigEndian.AppendUint32(b, uint32(c.DHE.MinBits))
	return binary.BigEndian.AppendUint32(b, c.Legacy.switches())
}

// switches are the fields of l, a bit each.
func (l *Legacy) switches() (bits uint32) {
	for i, on := range [...]bool{
		l.RSAKeyExchange, l.SSL30, l.SSL2Hello, l.DSSSigning, l.DES, l.TripleDES, l.RC4, l.NullCiphers, l.Anonymous, l.MD5,
		l.Compression, l.SmallDH, l.UnsafeRenegotiation, l.SHA1Signatures, l.SmallRSA, l.AnyKeyUsage, l.UnannouncedEnd, l.NoExtendedMasterSecret,
		l.NoEncryptThenMAC, l.FallbackSCSV, l.SHA1Chains, l.SHA224Signatures, l.PSKWithoutDH,
	} {
		if on {
			bits |= 1 << i
		}
	}
	return bits
}

// closure tells functions apart, also those that differ only in what they have
// captured. A clone of a Config has the same.
func closure(f func(*CertificateRequestInfo) (*Certificate, error)) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&f))
}
