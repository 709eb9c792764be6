package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

func headerOf(version byte, from, to string) []byte {
	a, _ := net.ResolveTCPAddr("tcp", from)
	b, _ := net.ResolveTCPAddr("tcp", to)
	text, err := proxyproto.HeaderProxyFromAddrs(version, a, b).Format()
	if err != nil {
		panic(err)
	}
	return text
}

// A header is taken from the networks that are named, demanded from them, and looked for
// nowhere else. The peer is who it says.
func TestHeaderIn(t *testing.T) {
	local := proxyproto.Header{Version: 2, Command: proxyproto.LOCAL, TransportProtocol: proxyproto.UNSPEC}
	ofLocal, _ := local.Format()
	for name, test := range map[string]struct {
		from, header, peer string // peer is empty for a refusal
	}{
		"version 1":                   {"127.0.0.0/8", string(headerOf(1, "192.0.2.7:1234", "192.0.2.1:443")), "192.0.2.7:1234"},
		"version 2":                   {"127.0.0.1", string(headerOf(2, "[2001:db8::7]:1234", "[2001:db8::1]:443")), "[2001:db8::7]:1234"},
		"version 2 of the proxy":      {"127.0.0.1", string(ofLocal), "127.0.0.1"},
		"none where one is demanded":  {"127.0.0.1", "", ""},
		"one from elsewhere":          {"192.0.2.0/24", string(headerOf(1, "192.0.2.7:1234", "192.0.2.1:443")), "-"},
		"a line without end":          {"127.0.0.1", "PROXY TCP4 " + strings.Repeat("1", 200), ""},
		"more than a header may have": {"127.0.0.1", string(proxyproto.SIGV2) + "\x21\x11\xff\xff" + strings.Repeat("x", 5000), ""},
		"addresses that are none":     {"127.0.0.1", "PROXY TCP4 a b 1 2\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			peers, refused := make(chan string, 1), make(chan event.Reason, 1)
			c := at(config.Listener{TLS: serverTLS(t, "front.test"), ProxyProtocol: config.ProxyProtocol{From: []string{test.from}}}, saying(t, nil, "in"))
			_, address := begin(t, c, event.Hooks{
				Accepted: func(c *event.Connection) { peers <- c.Peer.String() },
				Refused:  func(_ string, _ net.Addr, why event.Reason, _ error) { refused <- why },
			})
			raw := dial(t, address, nil)
			io.Copy(raw, iotest.OneByteReader(strings.NewReader(test.header)))
			conn := tls.Client(raw, onePKI().client("front.test"))
			got, _ := io.ReadAll(conn)
			switch {
			case test.peer == "":
				if why := <-refused; why != event.BadHeader || len(got) > 0 {
					t.Errorf("%q, and refused because of %q", got, why)
				}
			case test.peer == "-": // the handshake fails on the header
				<-peers
				if len(got) > 0 {
					t.Error("a header from elsewhere is taken")
				}
			default:
				if peer := <-peers; string(got) != "in" || !strings.HasPrefix(peer, test.peer) {
					t.Errorf("%q, of the peer %s", got, peer)
				}
			}
		})
	}
}

// A target gets a header with the client's address, and with what TLS has found out.
func TestHeaderOut(t *testing.T) {
	for _, version := range []string{"v1", "v2", "v2-tls", "v2-tls of TLS 1.2"} {
		most, spoken := uint16(tls.VersionTLS13), "TLSv1.3"
		if strings.HasSuffix(version, "1.2") {
			version, most, spoken = "v2-tls", tls.VersionTLS12, "TLSv1.2"
		}
		heads := make(chan *proxyproto.Header, 1)
		server := serverTLS(t, "front.test")
		server.ClientAuth, server.ClientCA = "request", onePKI().folder+"/ca.pem"
		server.ALPN = []string{"echo"}
		_, address := begin(t, at(config.Listener{TLS: server}, config.Target{ProxyProtocol: version, Addresses: []string{backend(t, nil, func(conn net.Conn) {
			in := bufio.NewReader(conn)
			h, err := proxyproto.Read(in)
			if err != nil {
				t.Error(version, err)
			}
			io.Copy(conn, in)
			heads <- h
		})}}))
		own := onePKI().client("front.test")
		own.MaxVersion = most
		own.NextProtos, own.Certificates = []string{"echo"}, []tls.Certificate{onePKI().pair(t, "good.test")}
		conn := dial(t, address, own)
		if err := roundTrip(conn, bytes.Repeat([]byte("x"), 1000)); err != nil {
			t.Errorf("%s: %v", version, err)
		}
		h := <-heads
		if h.SourceAddr.String() != conn.LocalAddr().String() || h.DestinationAddr.String() != address {
			t.Errorf("%s: from %s to %s", version, h.SourceAddr, h.DestinationAddr)
		}
		tlvs, _ := h.TLVs()
		if version != "v2-tls" {
			if len(tlvs) > 0 {
				t.Errorf("%s has %v", version, tlvs)
			}
			continue
		}
		ssl, ok := tlvparse.FindSSL(tlvs)
		cn, _ := ssl.ClientCN()
		protocol, _ := ssl.SSLVersion()
		der, _ := ssl.ClientCert()
		if !ok || !ssl.ClientSSL() || !ssl.ClientCertConn() || !ssl.Verified() || cn != "good.test" || protocol != spoken || !bytes.Equal(der, own.Certificates[0].Certificate[0]) {
			t.Errorf("%t, %q, %q, %+v", ok, cn, protocol, ssl)
		}
		cipher := ""
		for _, tlv := range ssl.TLV {
			if tlv.Type == proxyproto.PP2_SUBTYPE_SSL_CIPHER || tlv.Type == proxyproto.PP2_SUBTYPE_SSL_SIG_ALG || tlv.Type == proxyproto.PP2_SUBTYPE_SSL_KEY_ALG {
				cipher += " " + string(tlv.Value)
			}
		}
		if want := map[uint16]string{tls.VersionTLS13: " TLS_AES_128_GCM_SHA256 SHA256 EC256", tls.VersionTLS12: " ECDHE-ECDSA-AES128-GCM-SHA256 SHA256 EC256"}[most]; cipher != want {
			t.Errorf("%q, not %q", cipher, want)
		}
		if tlvs[0].Type != proxyproto.PP2_TYPE_AUTHORITY || string(tlvs[0].Value) != "front.test" || string(tlvs[1].Value) != "echo" {
			t.Errorf("%v", tlvs)
		}
	}
}
