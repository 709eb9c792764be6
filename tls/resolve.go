package tls

import (
	"crypto/rand"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// resolve fills in what the handshake needs of c, with every default. It is
// the one reading of a Config for a connection.
func (c *Config) resolve(h *handshake.Config, host handshake.Host) error {
	if err := c.unimplemented(); err != nil {
		return err
	}
	*h = handshake.Config{
		Rand: c.Rand, Time: c.now, ALPN: c.NextProtos, Groups: defaultGroups, Schemes: defaultSchemes, Suites: defaultSuites,
		NoExtendedMasterSecret: c.Legacy.NoExtendedMasterSecret, NoEncryptThenMAC: c.Legacy.NoEncryptThenMAC,
		GREASE: c.GREASE, RetryCookie: c.HelloRetryCookie, Fallback: c.Legacy.FallbackSCSV,
		ClientAuth: c.ClientAuth, Tickets: !c.SessionTicketsDisabled, Store: c.Resumption.Store != nil,
		Sessions:    c.ClientSessionCache != nil,
		AdaptSuites: c.CipherSuites == nil,
		Verify:      c.VerifyConnection != nil, LogKeys: c.KeyLogWriter != nil, Host: host,
	}
	if h.Rand == nil {
		h.Rand = rand.Reader
	}
	if c.Legacy.SHA1Signatures {
		h.Schemes = sha1Schemes
	}
	for _, p := range c.NextProtos {
		if len(p) == 0 || len(p) > 255 {
			return misuse("NextProtos has a name of %d bytes; 1 to 255 are possible", len(p))
		}
	}
	for _, f := range []func(*Config, *handshake.Config) error{(*Config).resolveVersions, (*Config).resolveSuites, (*Config).resolveGroups} {
		if err := f(c, h); err != nil {
			return err
		}
	}
	return nil
}

// misuse is the error for a Config that cannot work.
func misuse(format string, args ...any) error {
	return &handshake.Error{Alert: wire.AlertInternalError, Rule: "the Config cannot be used: " + fmt.Sprintf(format, args...)}
}

// unimplemented names what is asked for and not there: never ignored.
func (c *Config) unimplemented() error {
	switch {
	case c.EncryptedClientHelloConfigList != nil, c.EncryptedClientHelloKeys != nil, c.GetEncryptedClientHelloKeys != nil,
		c.EncryptedClientHelloRejectionVerify != nil:
		return misuse("Encrypted Client Hello is not implemented yet; leave its fields unset")
	case c.Renegotiation != RenegotiateNever:
		return misuse("renegotiation is not implemented yet; leave Renegotiation at RenegotiateNever")
	case c.Record.MaxFragment < 0 || c.Record.MaxFragment > 16384:
		return misuse("Record.MaxFragment is %d; 0 to 16384 are possible", c.Record.MaxFragment)
	case c.ClientAuth < NoClientCert || c.ClientAuth > RequireAndVerifyClientCert:
		return misuse("ClientAuth is %d, which means nothing", c.ClientAuth)
	}
	return nil
}

func (c *Config) resolveVersions(h *handshake.Config) error {
	low, high := wire.Version(c.MinVersion), wire.Version(c.MaxVersion)
	if low == 0 && high == 0 {
		h.Versions = defaultVersions
		return nil
	}
	h.Versions = slices.DeleteFunc(slices.Clone(defaultVersions), func(v wire.Version) bool {
		return v < low || high != 0 && v > high
	})
	if len(h.Versions) == 0 {
		return misuse("MinVersion (0x%04x) and MaxVersion (0x%04x) leave no version; TLS 1.2 (0x0303) and TLS 1.3 (0x0304) are implemented", c.MinVersion, c.MaxVersion)
	}
	return nil
}

func (c *Config) resolveSuites(h *handshake.Config) error {
	if c.CipherSuites == nil {
		return nil
	}
	var listed []*suite.Suite
	for _, id := range c.CipherSuites {
		s := suite.ByID(wire.CipherSuite(id))
		switch {
		case wire.CipherSuite(id) == wire.TLS_FALLBACK_SCSV:
			h.Fallback = true
		case s == nil:
			return misuse("the cipher suite %s is not implemented", CipherSuiteName(id))
		case slices.Contains(s.Switches, "RSAKeyExchange") && !c.Legacy.RSAKeyExchange:
			return misuse("CipherSuites lists %s, which has no forward secrecy and is off; set Legacy.RSAKeyExchange to allow it", s.Name)
		default:
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

func (c *Config) resolveGroups(h *handshake.Config) error {
	if len(c.CurvePreferences) == 0 {
		return nil
	}
	h.Groups = make([]wire.NamedGroup, len(c.CurvePreferences))
	for i, id := range c.CurvePreferences {
		h.Groups[i] = wire.NamedGroup(id)
		if !kex.Supported(h.Groups[i]) {
			return misuse("the group %s in CurvePreferences is not implemented", h.Groups[i])
		}
	}
	return nil
}

// resolveClient adds what only a client needs.
func (c *Config) resolveClient(h *handshake.Config, host handshake.Host) error {
	if err := c.resolve(h, host); err != nil {
		return err
	}
	if c.ServerName == "" && !c.InsecureSkipVerify {
		return misuse("a client needs ServerName, the name it means to reach (or InsecureSkipVerify, which trusts anyone)")
	}
	h.ServerName = sniName(c.ServerName)
	return nil
}

// sniName is what server_name carries: no IP address, no final dot. RFC 6066 §3.
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
	return strings.TrimRight(name, ".")
}
