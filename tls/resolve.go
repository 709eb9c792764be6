package tls

import (
	"crypto/rand"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// resolve fills in what the handshake needs of c, with every default. It is
// the one reading of a Config for a connection.
func (c *Config) resolve(h *handshake.Config, host handshake.Host) error {
	if err := c.check(); err != nil {
		return err
	}
	*h = handshake.Config{
		Rand: c.Rand, Time: c.Time, ALPN: c.NextProtos, Groups: defaultGroups, Schemes: defaultSchemes, Signs: defaultSigns, Suites: defaultSuites,
		NoExtendedMasterSecret: c.Legacy.NoExtendedMasterSecret, NoEncryptThenMAC: c.Legacy.NoEncryptThenMAC,
		AllowPeerChange: c.Renegotiate.AllowPeerChange, UnsafeRenegotiation: c.Legacy.UnsafeRenegotiation,
		RequireRFC5746: c.Renegotiate.RequireSecure, RequireExtendedMasterSecret: c.RequireExtendedMasterSecret,
		AnyKeyUsage: c.Legacy.AnyKeyUsage,
		Compression: c.Legacy.Compression, SizeLimit: c.Record.SizeLimit,
		MaxFragmentLength: wire.MaxFragmentLengthOf(c.Record.MaxFragmentLength), PostHandshakeAuth: c.PostHandshakeAuth,
		GREASE: c.GREASE, Shuffle: c.ShuffleExtensions, RetryCookie: c.HelloRetryCookie, Fallback: c.Legacy.FallbackSCSV,
		ClientAuth: c.ClientAuth, Tickets: !c.SessionTicketsDisabled, TicketCount: c.Resumption.Tickets, Store: c.Resumption.Store != nil, CertCompressions: c.CertificateCompression, IssuerStaple: c.Stapling.ForIssuer, AskForChain: c.Stapling.AskForChain,
		Sessions:    c.ClientSessionCache != nil,
		AdaptSuites: c.CipherSuites == nil, ClientOrder: c.PreferClientCipherSuites, SSL2Hello: c.Legacy.SSL2Hello, PSKHint: c.PSK.Hint,
		Verify: c.VerifyConnection != nil, LogKeys: c.KeyLogWriter != nil, Host: host,
	}
	if h.Rand == nil {
		h.Rand = rand.Reader
	}
	if h.Time == nil {
		h.Time = time.Now
	}
	c.resolveTickets(h)
	for _, f := range []func(*Config, *handshake.Config) error{
		(*Config).measure, (*Config).resolveVersions, (*Config).resolveSuites, (*Config).resolveGroups, (*Config).resolveSchemes, (*Config).resolveDHE, (*Config).resolvePSK,
		(*Config).resolveTypes, (*Config).resolveDelegation,
	} {
		if err := f(c, h); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(h.Suites, h.Uses) {
		return misuse("no cipher suite that it allows exists in the versions that it allows, %s to %s", h.Versions[len(h.Versions)-1], h.Versions[0])
	}
	return nil
}

func (c *Config) resolveTickets(h *handshake.Config) {
	if h.TicketCount == 0 {
		h.TicketCount = 2
	}
	if h.TicketsMost = max(c.Resumption.MaxTickets, 0); c.Resumption.MaxTickets == 0 {
		h.TicketsMost = 8
	}
	if q := c.Resumption.Request; q != nil {
		h.TicketRequest = &wire.TicketRequest{NewSession: q.New, Resumption: q.Resumed}
	}
}

// misuse is the error for a Config that cannot work.
func misuse(format string, args ...any) error {
	return &handshake.Error{Alert: wire.AlertInternalError, Rule: "the Config cannot be used: " + fmt.Sprintf(format, args...)}
}

// check refuses what is not there, and what has no meaning: nothing is ignored.
func (c *Config) check() error {
	switch {
	case c.Renegotiation < RenegotiateNever || c.Renegotiation > RenegotiateFreelyAsClient:
		return misuse("Renegotiation is %d, which means nothing", c.Renegotiation)
	case c.Record.MaxFragment < 0 || c.Record.MaxFragment > 16384:
		return misuse("Record.MaxFragment is %d; 0 to 16384 are possible", c.Record.MaxFragment)
	case c.Record.MaxFragmentLength != 0 && wire.MaxFragmentLengthOf(c.Record.MaxFragmentLength) == 0:
		return misuse("Record.MaxFragmentLength is %d; 512, 1024, 2048 and 4096 are possible", c.Record.MaxFragmentLength)
	case c.Record.SizeLimit != 0 && (c.Record.SizeLimit < wire.MinRecordSizeLimit || c.Record.SizeLimit > 16385):
		return misuse("Record.SizeLimit is %d; 64 to 16385 are possible", c.Record.SizeLimit)
	case c.RequireExtendedMasterSecret && c.Legacy.NoExtendedMasterSecret:
		return misuse("RequireExtendedMasterSecret demands what Legacy.NoExtendedMasterSecret leaves out")
	case !usableCompressions(c.CertificateCompression):
		return misuse("CertificateCompression has an algorithm without a function, one that stands twice, or more than %d", maxCompressions)
	case c.Resumption.Tickets < 0 || c.Resumption.Tickets > 16:
		return misuse("Resumption.Tickets is %d; 0 to 16 are possible, and SessionTicketsDisabled for none", c.Resumption.Tickets)
	case c.Resumption.MaxTickets > 16:
		return misuse("Resumption.MaxTickets is %d; at most 16 are possible, and a negative number gives every client Resumption.Tickets", c.Resumption.MaxTickets)
	case c.Resumption.Request != nil && max(c.Resumption.Request.New, c.Resumption.Request.Resumed) > 16:
		return misuse("Resumption.Request asks for %d tickets; 0 to 16 are possible", max(c.Resumption.Request.New, c.Resumption.Request.Resumed))
	case c.ClientAuth < NoClientCert || c.ClientAuth > RequireAndVerifyClientCert:
		return misuse("ClientAuth is %d, which means nothing", c.ClientAuth)
	case c.LaterClientAuth < NoClientCert || c.LaterClientAuth > RequireAndVerifyClientCert:
		return misuse("LaterClientAuth is %d, which means nothing", c.LaterClientAuth)
	}
	return c.checkEarly()
}

// maxCompressions is how many compress_certificate has room for. RFC 8879 §3.
const maxCompressions = 127

func usableCompressions(list []certcompress.Algorithm) bool {
	for i, a := range list {
		if a.Compress == nil || a.Decompress == nil || slices.ContainsFunc(list[:i], func(b certcompress.Algorithm) bool { return a.ID == b.ID }) {
			return false
		}
	}
	return len(list) <= maxCompressions
}

// What a length of two bytes can say, and how many entries of two bytes that is, less
// a few that the handshake adds.
const (
	maxVector = 1<<16 - 1
	maxList   = maxVector/2 - 100
)

// measure refuses what no message could carry.
func (c *Config) measure(*handshake.Config) error {
	protos := 2
	for _, p := range c.NextProtos {
		if len(p) == 0 || len(p) > 255 {
			return misuse("NextProtos has a name of %d bytes; 1 to 255 are possible", len(p))
		}
		protos += 1 + len(p)
	}
	if protos > maxVector {
		return misuse("NextProtos takes %d bytes; at most %d can be sent", protos, maxVector)
	}
	if len(c.PSK.Hint) > maxVector {
		return misuse("PSK.Hint has %d bytes; at most %d can be sent", len(c.PSK.Hint), maxVector)
	}
	for _, list := range []struct {
		name string
		size int
	}{{"CipherSuites", len(c.CipherSuites)}, {"CurvePreferences", len(c.CurvePreferences)}, {"SignatureSchemes", len(c.SignatureSchemes)}} {
		if list.size > maxList {
			return misuse("%s has %d entries; at most %d can be sent", list.name, list.size, maxList)
		}
	}
	return nil
}

func (c *Config) resolveVersions(h *handshake.Config) error {
	low, high := wire.Version(c.MinVersion), wire.Version(c.MaxVersion)
	if low == 0 && high == 0 {
		h.Versions = defaultVersions
		return nil
	}
	if low == 0 {
		low = defaultVersions[len(defaultVersions)-1]
	}
	from, past := 0, len(allVersions)
	for high != 0 && from < past && allVersions[from] > high {
		from++
	}
	for from < past && allVersions[past-1] < low {
		past--
	}
	h.Versions = allVersions[from:past:past]
	if len(h.Versions) == 0 {
		if c.MinVersion == 0 {
			return misuse("MaxVersion (%s) leaves no version: without MinVersion the oldest is %s, as those before are weak; set MinVersion too if you must", high, low)
		}
		return misuse("MinVersion (%s) and MaxVersion (%s) leave no version", low, VersionName(c.MaxVersion))
	}
	if !c.Legacy.SSL30 && slices.Contains(h.Versions, wire.SSL30) {
		return misuse("MinVersion allows SSL 3.0, which is broken (POODLE) and off; set Legacy.SSL30 too if you must")
	}
	return nil
}

func (c *Config) resolveSuites(h *handshake.Config) error {
	if c.CipherSuites == nil {
		if h.Versions[len(h.Versions)-1] < defaultVersions[len(defaultVersions)-1] {
			h.Suites = defaultOldSuites
		}
		return nil
	}
	listed := make([]*suite.Suite, 0, len(c.CipherSuites)+len(defaultSuites))
	for _, id := range c.CipherSuites {
		s := suite.ByID(wire.CipherSuite(id))
		switch {
		case wire.CipherSuite(id) == wire.TLS_FALLBACK_SCSV:
			h.Fallback = true
		case s == nil:
			return misuse("the cipher suite %s is not implemented", CipherSuiteName(id))
		default:
			if off := c.Legacy.missing(s.Switches); len(off) > 0 {
				return misuse("CipherSuites lists %s, which is off because %s; set Legacy.%s to allow it", s.Name, s.WhyNot, strings.Join(off, " and Legacy."))
			}
			listed = append(listed, s)
		}
	}
	for _, is13 := range []bool{true, false} {
		mine := func(s *suite.Suite) bool { return (s.KeyExchange == wire.KeyExchangeNone) == is13 }
		if !slices.ContainsFunc(listed, mine) {
			for _, s := range defaultSuites {
				if mine(s) {
					listed = append(listed, s)
				}
			}
		}
	}
	h.Suites = listed
	return nil
}

// missing returns those of the switches that are off.
func (l *Legacy) missing(switches []string) (off []string) {
	v := reflect.ValueOf(l).Elem()
	for _, name := range switches {
		if !v.FieldByName(name).Bool() {
			off = append(off, name)
		}
	}
	return off
}

// resolveSchemes takes the schemes listed, of those that there are.
func (c *Config) resolveSchemes(h *handshake.Config) error {
	c.allowSchemes(h)
	if len(c.SignatureSchemes) == 0 {
		return nil
	}
	allowed := slices.Concat(h.Schemes, namedSchemes, clientSchemes)
	h.Schemes = make([]wire.SignatureScheme, len(c.SignatureSchemes))
	for i, id := range c.SignatureSchemes {
		if h.Schemes[i] = wire.SignatureScheme(id); !slices.Contains(allowed, h.Schemes[i]) {
			return misuse("the signature scheme %s in SignatureSchemes is not implemented, or off without Legacy.SHA1Signatures or Legacy.SHA224Signatures", h.Schemes[i])
		}
	}
	if h.Schemes = handshake.SchemesFor(h.Versions[0], h.Schemes); len(h.Schemes) == 0 {
		return misuse("SignatureSchemes lists ML-DSA alone, which is for TLS 1.3, and MaxVersion is below that")
	}
	return nil
}

// namedInChains are the schemes by which certificates of the peer's chain may be signed only
// because they are named or switched on.
func (c *Config) namedInChains() (schemes []wire.SignatureScheme) {
	for _, id := range c.SignatureSchemes {
		schemes = append(schemes, wire.SignatureScheme(id))
	}
	if c.Legacy.SHA224Signatures {
		schemes = append(schemes, wire.ECDSASHA224, wire.RSAPKCS1SHA224)
	}
	return schemes
}

// allowSchemes adds what is switched on, and what DSS suites sign with.
func (c *Config) allowSchemes(h *handshake.Config) {
	if c.Legacy.SHA1Signatures {
		h.Schemes, h.Signs = sha1Schemes, sha1Signs
	}
	if c.Legacy.SHA224Signatures {
		h.Schemes = append(slices.Clone(h.Schemes), wire.ECDSASHA224, wire.RSAPKCS1SHA224)
	}
	if !slices.ContainsFunc(h.Suites, func(s *suite.Suite) bool { return s.Auth == suite.AuthDSS }) {
		return
	}
	dsa := []wire.SignatureScheme{wire.DSASHA256}
	if c.Legacy.SHA1Signatures {
		dsa = append(dsa, wire.DSASHA1)
	}
	h.Schemes, h.Signs = slices.Concat(h.Schemes, dsa), slices.Concat(h.Signs, dsa)
}

// The sizes of groups for DHE: what is safe, and what is the least with
// Legacy.SmallDH.
const (
	safeDHBits  = 2048
	leastDHBits = 1024
)

func (c *Config) resolveDHE(h *handshake.Config) error {
	h.MinDHBits = c.DHE.MinBits
	if h.MinDHBits == 0 {
		h.MinDHBits = safeDHBits
	}
	if err := c.Legacy.allowsDH("DHE.MinBits", h.MinDHBits); err != nil {
		return err
	}
	if c.DHE.Parameters == nil {
		return nil
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.dh == nil {
		dh, err := kex.NewDH(c.DHE.Parameters.P, c.DHE.Parameters.G)
		if err != nil {
			return misuse("DHE.Parameters are not valid: %v", err)
		}
		c.dh = dh
	}
	h.DH = c.dh
	return c.Legacy.allowsDH("the prime of DHE.Parameters", c.dh.Bits())
}

func (l *Legacy) allowsDH(what string, bits int) error {
	switch {
	case bits < leastDHBits:
		return misuse("%s has %d bits; %d are the least that can be allowed", what, bits, leastDHBits)
	case bits < safeDHBits && !l.SmallDH:
		return misuse("%s has %d bits, which can be broken (Logjam); set Legacy.SmallDH if you must have less than %d", what, bits, safeDHBits)
	}
	return nil
}

func (c *Config) resolveGroups(h *handshake.Config) error {
	if len(c.CurvePreferences) == 0 {
		return c.resolveShares(h)
	}
	h.Groups = make([]wire.NamedGroup, len(c.CurvePreferences))
	for i, id := range c.CurvePreferences {
		h.Groups[i] = wire.NamedGroup(id)
		if !kex.Supported(h.Groups[i]) {
			return misuse("the group %s in CurvePreferences is not implemented", h.Groups[i])
		}
	}
	return c.resolveShares(h)
}

// resolveShares: a share must be of a group that is listed, and no group has two.
func (c *Config) resolveShares(h *handshake.Config) error {
	if c.KeyShares == nil {
		return nil
	}
	h.KeyShares = make([]wire.NamedGroup, 0, len(c.KeyShares))
	for _, id := range c.KeyShares {
		g := wire.NamedGroup(id)
		if !slices.Contains(h.Groups, g) || slices.Contains(h.KeyShares, g) {
			return misuse("the group %s in KeyShares is not in CurvePreferences, or stands twice", g)
		}
		h.KeyShares = append(h.KeyShares, g)
	}
	return nil
}

// resolveClient adds what only a client needs.
func (c *Config) resolveClient(h *handshake.Config, host handshake.Host) error {
	if err := c.resolve(h, host); err != nil {
		return err
	}
	if c.PSK.Client == nil && slices.ContainsFunc(h.Suites, needsPSK) {
		return misuse("CipherSuites lists suites with pre-shared keys; set PSK.Client")
	}
	if h.Schemes = handshake.WithoutOfClients(h.Schemes); len(h.Schemes) == 0 { // no server may sign so
		return misuse("SignatureSchemes lists alone what only clients sign with; list what servers sign with too")
	}
	if err := c.resolveOffered(h); err != nil {
		return err
	}
	if shown := !h.NeedsPSK || h.Beside; shown && c.ServerName == "" && !c.InsecureSkipVerify && takes(h, CertificateTypeX509) && slices.ContainsFunc(h.Suites, func(s *suite.Suite) bool { return certified(s) && h.Uses(s) }) {
		return misuse("a client needs ServerName, the name it means to reach (or InsecureSkipVerify, which trusts anyone)")
	}
	h.AnyKeyUsage = h.AnyKeyUsage || c.InsecureSkipVerify
	if h.ServerName = sniName(c.ServerName); len(h.ServerName) > handshake.MaxHostName {
		return misuse("ServerName has %d bytes; the name of a host has %d at most", len(h.ServerName), handshake.MaxHostName)
	}
	return c.resolveECH(h)
}

func needsPSK(s *suite.Suite) bool { return s.KeyExchange.PSK() }

// certified: in TLS 1.3 every suite has a certificate.
func certified(s *suite.Suite) bool {
	return s.KeyExchange == wire.KeyExchangeNone || s.KeyExchange.Certificate()
}

// sniName is what server_name carries: no IP address, no final dot, and nothing that is
// no name. RFC 6066 §3.
func sniName(name string) string {
	host := name
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	if i := strings.LastIndexByte(host, '%'); i > 0 {
		host = host[:i]
	}
	if net.ParseIP(host) != nil {
		return ""
	}
	if name = strings.TrimRight(name, "."); !handshake.IsHostName(name) {
		return ""
	}
	return name
}
