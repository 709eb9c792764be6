package fingerprint

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// ErrNoHello is the error for a message that is no ClientHello.
var ErrNoHello = errors.New("the message is not a ClientHello")

// Hello parses a ClientHello: a handshake message, its header of 4 bytes included. The
// result aliases raw. The error is a *wire.SyntaxError for a hello that is malformed.
func Hello(raw []byte) (*wire.ClientHello, error) {
	if len(raw) < wire.HeaderLen || wire.HandshakeType(raw[0]) != wire.TypeClientHello {
		return nil, ErrNoHello
	}
	m, err := wire.DecodeMessage(raw, wire.Context{}, nil)
	if err != nil {
		return nil, err
	}
	hello, ok := m.(*wire.ClientHello)
	if !ok {
		return nil, ErrNoHello
	}
	return hello, nil
}

// JA3 returns the JA3 fingerprint: 32 lower-case hexadecimal digits.
func JA3(h *wire.ClientHello) string {
	sum := md5.Sum([]byte(JA3Text(h)))
	return hex.EncodeToString(sum[:])
}

// JA3Text returns what JA3 hashes: version, suites, extensions, groups and point formats
// as decimal numbers, divided by commas, and by dashes within.
func JA3Text(h *wire.ClientHello) string {
	var formats []uint16
	_, _ = h.Extensions.Read(wire.ExtECPointFormats, func(r *wire.Reader) {
		for _, f := range wire.ReadPointFormats(r) {
			formats = append(formats, uint16(f))
		}
	})
	return strings.Join([]string{
		strconv.Itoa(int(h.LegacyVersion)),
		decimals(real(h.CipherSuites)),
		decimals(extensions(h)),
		decimals(real(list(h, wire.ExtSupportedGroups, wire.ReadSupportedGroups))),
		decimals(formats),
	}, ",")
}

// JA4 returns the JA4 fingerprint of a hello sent over TCP.
func JA4(h *wire.ClientHello) string {
	offer, suites, rest := ja4(h)
	return offer + "_" + short(suites) + "_" + short(rest)
}

// JA4Raw returns JA4_r: JA4 with the lists themselves instead of their hashes.
func JA4Raw(h *wire.ClientHello) string {
	offer, suites, rest := ja4(h)
	return offer + "_" + suites + "_" + rest
}

// ja4 returns the three parts of JA4_r.
func ja4(h *wire.ClientHello) (offer, suites, rest string) {
	names, all := real(h.CipherSuites), extensions(h)
	server := "i"
	if h.Extensions.Has(wire.ExtServerName) {
		server = "d"
	}
	offer = fmt.Sprintf("t%s%s%02d%02d%s", version(h), server, min(len(names), 99), min(len(all), 99), protocol(h))
	slices.Sort(names)
	sorted := slices.DeleteFunc(all, func(x uint16) bool {
		return x == uint16(wire.ExtServerName) || x == uint16(wire.ExtALPN)
	})
	slices.Sort(sorted)
	rest = hexadecimals(sorted)
	if schemes := real(list(h, wire.ExtSignatureAlgorithms, wire.ReadSignatureAlgorithms)); len(schemes) > 0 {
		rest += "_" + hexadecimals(schemes)
	}
	return offer, hexadecimals(names), rest
}

// versions are JA4's names of versions; others are "00".
var versions = map[wire.Version]string{
	wire.TLS13: "13", wire.TLS12: "12", wire.TLS11: "11", wire.TLS10: "10", wire.SSL30: "s3", wire.SSL20: "s2",
}

// version is the highest version that the hello offers.
func version(h *wire.ClientHello) string {
	highest := h.LegacyVersion
	if offered := real(list(h, wire.ExtSupportedVersions, wire.ReadSupportedVersions)); len(offered) > 0 {
		highest = wire.Version(slices.Max(offered))
	}
	if name, ok := versions[highest]; ok {
		return name
	}
	return "00"
}

// protocol is the first and the last character of the first protocol that ALPN offers, or
// of its hexadecimal form where one of them is no letter or digit.
func protocol(h *wire.ClientHello) string {
	var names [][]byte
	_, _ = h.Extensions.Read(wire.ExtALPN, func(r *wire.Reader) { names = wire.ReadALPN(r, nil) })
	names = slices.DeleteFunc(names, func(name []byte) bool {
		return len(name) == 2 && wire.IsGREASE(uint16(name[0])<<8|uint16(name[1]))
	})
	if len(names) == 0 || len(names[0]) == 0 {
		return "00"
	}
	name := string(names[0])
	if !isAlphanumeric(name[0]) || !isAlphanumeric(name[len(name)-1]) {
		name = hex.EncodeToString(names[0])
	}
	return name[:1] + name[len(name)-1:]
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// real returns a list without GREASE values.
func real[T ~uint16](all []T) (kept []uint16) {
	for _, v := range all {
		if !wire.IsGREASE(v) {
			kept = append(kept, uint16(v))
		}
	}
	return kept
}

func extensions(h *wire.ClientHello) []uint16 {
	types := make([]wire.ExtensionType, len(h.Extensions))
	for i, x := range h.Extensions {
		types[i] = x.Type
	}
	return real(types)
}

// list reads the list in an extension; of a malformed one, what stands before the fault.
func list[T ~uint16](h *wire.ClientHello, x wire.ExtensionType, read func(*wire.Reader, []T) []T) (values []T) {
	_, _ = h.Extensions.Read(x, func(r *wire.Reader) { values = read(r, nil) })
	return values
}

func decimals(values []uint16) string {
	var b []byte
	for i, v := range values {
		if i > 0 {
			b = append(b, '-')
		}
		b = strconv.AppendUint(b, uint64(v), 10)
	}
	return string(b)
}

func hexadecimals(values []uint16) string {
	var b []byte
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = hex.AppendEncode(b, []byte{byte(v >> 8), byte(v)})
	}
	return string(b)
}

// short is the first 12 digits of the SHA-256 hash, and zeros for an empty list.
func short(text string) string {
	if text == "" {
		return "000000000000"
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}
