package lab

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// changed is an editor for the first message of a type: what f makes of it goes on. On
// the wire it acts on what is in the clear, and on a record that holds the whole message.
func changed[M wire.Message](d *Deviation, from wire.Role, f func(m M, c wire.Context)) editor {
	var done bool
	var want M
	agreed := wire.Context{From: from, Version: wire.TLS12}
	edit := func(raw []byte) []byte {
		if hello := wire.HandshakeType(raw[0]); hello == wire.TypeServerHello {
			agreed.Version, agreed.KeyExchange = chosen(raw)
		}
		if done || wire.HandshakeType(raw[0]) != want.Type() {
			return raw
		}
		m, err := wire.DecodeMessage(raw, agreed, nil)
		typed, ok := m.(M)
		if err != nil || !ok {
			return raw
		}
		f(typed, agreed)
		done = true
		return wire.AppendMessage(nil, typed, agreed)
	}
	return func(sender wire.Role, _ int, x item, came *bool) ([]item, bool) {
		if sender == from && x.typ == wire.ContentHandshake && !done {
			if d.Inside {
				x.bytes = edit(x.bytes)
			} else {
				x.bytes = everyMessage(x.bytes, edit)
			}
			*came = done
		}
		return []item{x}, false
	}
}

// chosen is what a ServerHello picks.
func chosen(raw []byte) (v wire.Version, x wire.KeyExchange) {
	m, err := wire.DecodeMessage(raw, wire.Context{From: wire.Server}, nil)
	hello, ok := m.(*wire.ServerHello)
	if err != nil || !ok {
		return wire.TLS12, wire.KeyExchangeNone
	}
	v = hello.LegacyVersion
	_, _ = hello.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { v = wire.U16[wire.Version](r, "selected_version") })
	if s := suite.ByID(hello.CipherSuite); s != nil {
		x = s.KeyExchange
	}
	return v, x
}

// everyMessage has edit act on each whole message of a record in the clear.
func everyMessage(rec []byte, edit func([]byte) []byte) []byte {
	const header = wire.RecordHeaderLen
	out, rest := slices.Clone(rec[:header]), rec[header:]
	for n := wire.MessageLen(rest); n > 0 && n <= len(rest); n = wire.MessageLen(rest) {
		out, rest = append(out, edit(rest[:n])...), rest[n:]
	}
	out = append(out, rest...)
	binary.BigEndian.PutUint16(out[header-2:], uint16(len(out)-header))
	return out
}

func lowerVersion(d *Deviation) (editor, error) {
	v, err := version(d.Text)
	return changed(d, wire.Client, func(m *wire.ClientHello, _ wire.Context) {
		m.LegacyVersion = min(m.LegacyVersion, v)
		m.Extensions = slices.DeleteFunc(m.Extensions, func(e wire.Extension) bool { return e.Type == wire.ExtSupportedVersions })
	}), err
}

func stripSuite(d *Deviation) (editor, error) {
	s := suite.ByName(d.Text)
	if s == nil {
		return nil, fmt.Errorf("%q is not a cipher suite that vitrine has", d.Text)
	}
	return changed(d, wire.Client, func(m *wire.ClientHello, _ wire.Context) {
		m.CipherSuites = slices.DeleteFunc(m.CipherSuites, func(id wire.CipherSuite) bool { return id == s.ID })
	}), nil
}

// numbers reads the numbers of suites.
func numbers(text string) (ids []wire.CipherSuite, err error) {
	b, err := digits(text)
	if err != nil || len(b) == 0 || len(b)%2 != 0 {
		return nil, fmt.Errorf("%q are not numbers of suites; each is four hexadecimal digits, like 0003", text)
	}
	for pair := range slices.Chunk(b, 2) {
		ids = append(ids, wire.CipherSuite(binary.BigEndian.Uint16(pair)))
	}
	return ids, nil
}

func offerSuites(d *Deviation) (editor, error) {
	ids, err := numbers(d.Text)
	return changed(d, wire.Client, func(m *wire.ClientHello, _ wire.Context) { m.CipherSuites = ids }), err
}

func answerSuite(d *Deviation) (editor, error) {
	ids, err := numbers(d.Text)
	return changed(d, wire.Server, func(m *wire.ServerHello, _ wire.Context) { m.CipherSuite = ids[0] }), err
}

func stripExtension(d *Deviation) (editor, error) {
	var typ wire.ExtensionType
	for id := range 1 << 16 {
		if strings.EqualFold(wire.ExtensionType(id).String(), d.Text) {
			typ = wire.ExtensionType(id)
			return changed(d, wire.Client, func(m *wire.ClientHello, _ wire.Context) {
				m.Extensions = slices.DeleteFunc(m.Extensions, func(e wire.Extension) bool { return e.Type == typ })
			}), nil
		}
	}
	return nil, fmt.Errorf("%q is not an extension that vitrine knows", d.Text)
}

// swapCertificate puts the attacker's chain, for the same name, in place of the server's.
func swapCertificate(d *Deviation) (editor, error) {
	p, err := strange()
	if err != nil {
		return nil, err
	}
	cert, err := p.leaf(serverName, devca.ECDSA, false)
	return changed(d, wire.Server, func(m *wire.Certificate, _ wire.Context) {
		m.Entries = nil
		for _, der := range cert.Certificate {
			m.Entries = append(m.Entries, wire.CertificateEntry{DER: der})
		}
	}), err
}
