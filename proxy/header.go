package proxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/pires/go-proxyproto"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// trust says from whom a header of the PROXY protocol is taken, and demanded.
type trust struct {
	networks []netip.Prefix
	unix     bool
}

func newTrust(from []string) (t trust, err error) {
	for _, one := range from {
		if one == "unix" {
			t.unix = true
			continue
		}
		network, err := netip.ParsePrefix(one)
		if err != nil {
			ip, ipErr := netip.ParseAddr(one)
			if ipErr != nil {
				return t, fmt.Errorf("%q is neither a network like 10.0.0.0/8, nor an address, nor unix", one)
			}
			network = netip.PrefixFrom(ip, ip.BitLen())
		}
		t.networks = append(t.networks, network.Masked())
	}
	return t, nil
}

func (t trust) has(peer net.Addr) bool {
	ip := addrOf(peer)
	if !ip.IsValid() {
		return t.unix
	}
	for _, network := range t.networks {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// A header has 107 bytes in version 1, 16 and what it announces in version 2.
const (
	headerV1Most  = 107
	headerV2Start = 16
	headerMost    = headerV2Start + 4096 // proxyproto's bound
)

var errNoHeader = errors.New("it does not begin with a header of the PROXY protocol, which is demanded from this network")

// readHeader takes the client's address from a header in front, where one is demanded.
func (l *link) readHeader() error {
	if !l.door.trust.has(l.About.Peer) {
		return nil
	}
	size := 0
	var wrong error
	err := peek(l.client, headerMost, func(b []byte) (enough bool) {
		size, enough, wrong = headerSize(b)
		return enough
	})
	if err = firstOf(err, wrong); err == nil {
		b := make([]byte, size)
		if err = discard(l.client, b); err == nil {
			err = l.takeHeader(b)
		}
	}
	if err != nil {
		return &refusal{event.BadHeader, fmt.Errorf("the PROXY header from %s: %w", l.About.Peer, err)}
	}
	return nil
}

// headerSize is how long the header is that b begins with; enough is set once that is there.
func headerSize(b []byte) (size int, enough bool, err error) {
	v1, v2 := proxyproto.SIGV1, proxyproto.SIGV2
	switch {
	case bytes.HasPrefix(b, v2):
		if len(b) < headerV2Start {
			return 0, false, nil
		}
		size = headerV2Start + int(binary.BigEndian.Uint16(b[14:]))
		if size > headerMost {
			return 0, true, fmt.Errorf("it announces %d bytes, more than a header may have", size)
		}
		return size, len(b) >= size, nil
	case bytes.HasPrefix(b, v1):
		if i := bytes.IndexByte(b[:min(len(b), headerV1Most)], '\n'); i >= 0 {
			return i + 1, true, nil
		}
		if len(b) >= headerV1Most {
			return 0, true, errors.New("its line has no end")
		}
		return 0, false, nil
	case bytes.HasPrefix(v1, b), bytes.HasPrefix(v2, b):
		return 0, false, nil
	}
	return 0, true, errNoHeader
}

func (l *link) takeHeader(b []byte) error {
	in := bufio.NewReaderSize(bytes.NewReader(b), len(b))
	h, err := proxyproto.Read(in)
	if err != nil {
		return err
	}
	if h.Command.IsLocal() || h.SourceAddr == nil { // the proxy's own, such as a check
		return nil
	}
	l.About.Peer, l.local = h.SourceAddr, h.DestinationAddr
	return nil
}

// writeHeader is what a target gets in front; nil for nothing. l is nil for a check of ours.
func writeHeader(version string, l *link) ([]byte, error) {
	var number byte = 2
	switch version {
	case "":
		return nil, nil
	case "v1":
		number = 1
	}
	if l == nil {
		return (&proxyproto.Header{Version: number, Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}).Format()
	}
	h := proxyproto.HeaderProxyFromAddrs(number, l.About.Peer, l.local)
	if version == "v2-tls" {
		tlvs, err := l.tlvs()
		if err == nil {
			err = h.SetTLVs(tlvs)
		}
		if err != nil {
			return nil, err
		}
	}
	return h.Format()
}

// tlvs say what is known of the client's TLS: names as OpenSSL has them, as other proxies do.
func (l *link) tlvs() (list []proxyproto.TLV, err error) {
	add := func(t proxyproto.PP2Type, value string) {
		if value != "" {
			list = append(list, proxyproto.TLV{Type: t, Value: []byte(value)})
		}
	}
	add(proxyproto.PP2_TYPE_AUTHORITY, l.About.ServerName)
	conn, is := l.client.(*tls.Conn)
	if !is {
		return list, nil
	}
	state := conn.State()
	add(proxyproto.PP2_TYPE_ALPN, state.ALPN)
	ssl, err := sslTLV(&state, l.shown, strings.HasPrefix(l.About.Identity, "spki:"))
	return append(list, ssl), err
}

// What PP2_TYPE_SSL says in its first byte.
const (
	clientSSL      = 1
	clientCertConn = 2
	clientCertSess = 4
)

// sslTLV is PP2_TYPE_SSL. shown is about the certificate that this side has shown: the algorithms are its,
// by section 2.2.6 of HAProxy's proxy-protocol.txt; nil where a session was resumed, or keys were shared.
// A client that comes in by a pin of its key is verified, without an authority.
func sslTLV(state *tls.State, shown *shownCertificate, pinned bool) (proxyproto.TLV, error) {
	var sub []proxyproto.TLV
	add := func(t proxyproto.PP2Type, value string) {
		if value != "" {
			sub = append(sub, proxyproto.TLV{Type: t, Value: []byte(value)})
		}
	}
	flags, verify := byte(clientSSL), uint32(1)
	add(proxyproto.PP2_SUBTYPE_SSL_VERSION, strings.Replace(state.Version.String(), "TLS ", "TLSv", 1))
	cipher := state.CipherSuite.String()
	if s := suite.ByID(state.CipherSuite); s != nil && s.OpenSSLName != "" {
		cipher = s.OpenSSLName
	}
	add(proxyproto.PP2_SUBTYPE_SSL_CIPHER, cipher)
	if shown != nil {
		add(proxyproto.PP2_SUBTYPE_SSL_SIG_ALG, shown.signature)
		add(proxyproto.PP2_SUBTYPE_SSL_KEY_ALG, shown.key)
	}
	if state.Group != 0 {
		add(proxyproto.PP2_SUBTYPE_SSL_GROUP, state.Group.String())
	}
	if len(state.PeerCertificates) > 0 {
		leaf := state.PeerCertificates[0]
		flags |= clientCertSess
		if state.Resumption == "none" {
			flags |= clientCertConn
		}
		if len(state.VerifiedChains) > 0 || pinned {
			verify = 0
		}
		add(proxyproto.PP2_SUBTYPE_SSL_CN, leaf.Subject.CommonName)
		if len(leaf.Raw) <= 3<<10 { // what a receiver takes in all is 4 KiB
			add(proxyproto.PP2_SUBTYPE_SSL_CLIENT_CERT, string(leaf.Raw))
		}
	}
	inner, err := proxyproto.JoinTLVs(sub)
	value := append(binary.BigEndian.AppendUint32([]byte{flags}, verify), inner...)
	return proxyproto.TLV{Type: proxyproto.PP2_TYPE_SSL, Value: value}, err
}
