package tls

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// alien is a peer that does not speak TLS, or not for long.
type alien struct {
	name   string
	run    func() (clientErr, serverErr error)
	client []any
	server []any
}

// sends has our client or server meet a peer that sends these bytes and, if
// closes is set, nothing more.
func sends(side func(net.Conn, *Config) *Conn, config *Config, closes bool, data string) error {
	a, peer := memoryPipe()
	io.WriteString(peer, data)
	if closes {
		peer.out.end()
	}
	c := side(a, config)
	defer c.Close()
	return c.Handshake()
}

func toClient(data string, closes bool) func() (clientErr, serverErr error) {
	return func() (error, error) { return sends(Client, testPKI().client(), closes, data), nil }
}

func toServer(data string, closes bool) func() (clientErr, serverErr error) {
	return func() (error, error) { return nil, sends(Server, testPKI().server("ecdsa-p256"), closes, data) }
}

func foreign() []alien {
	const (
		garbage  = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"
		sslHello = "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80\x03\x00\x80\x07\x00\xc0\x06"
	)
	header := []any{new(RecordHeaderError)}
	return []alien{
		{name: "garbage", run: toServer(garbage, false), server: header},
		{name: "garbage", run: toClient(garbage, false), client: header},
		{name: "HTTP request", run: toServer("GET / HTTP/1.1\r\nHost: x\r\n\r\n", false), server: header},
		{name: "HTTP POST", run: toServer("POST /form HTTP/1.1\r\n\r\n", false), server: header},
		{name: "HTTP response", run: toClient("HTTP/1.1 400 Bad Request\r\n\r\n", true), client: header},
		{name: "SMTP greeting", run: toClient("220 mail.example.test ESMTP\r\n", false), client: header},
		{name: "SSH greeting", run: toClient("SSH-2.0-OpenSSH_9.2\r\n", false), client: header},
		{name: "SSL 2.0 hello", run: toServer(sslHello, false), server: header},
		{name: "nothing, and the end", run: toServer("", true)},
		{name: "nothing, and the end", run: toClient("", true)},
		{name: "half a record", run: toServer("\x16\x03\x01\x02\x00\x01\x00", true)},
		{name: "half a header", run: toClient("\x16\x03\x03", true)},
		{name: "too long a record", run: toServer("\x16\x03\x01\xff\xff", false)},
		{name: "data before the handshake", run: toServer("\x17\x03\x03\x00\x01x", false)},
		{name: "an empty record", run: toServer("\x16\x03\x01\x00\x00", false)},
		{name: "a message that does not parse", run: toServer("\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03", false)},
		{name: "another message", run: toServer("\x16\x03\x01\x00\x04\x0e\x00\x00\x00", false)},
		{name: "a message of 16 MB", run: toServer("\x16\x03\x01\x00\x04\x01\xff\xff\xff", false)},
	}
}

// A server that gets something else than TLS can answer it: the error has the
// connection, and nothing was sent.
func TestRecordHeaderErrorHasTheConn(t *testing.T) {
	for _, data := range []string{"GET / HTTP/1.1\r\n", "garbage"} {
		a, peer := memoryPipe()
		io.WriteString(peer, data)
		err := Server(a, testPKI().server("ecdsa-p256")).Handshake()
		var header RecordHeaderError
		if !errors.As(err, &header) || header.Conn != net.Conn(a) || string(header.RecordHeader[:]) != data[:5] {
			t.Errorf("%q: %#v", data, err)
		}
		if len(peer.in.data) != 0 {
			t.Errorf("%q was answered with %q", data, peer.in.data)
		}
		io.WriteString(header.Conn, "HTTP/1.0 400 Bad Request\r\n\r\n")
		if string(peer.in.data) != "HTTP/1.0 400 Bad Request\r\n\r\n" {
			t.Error("the answer does not get through")
		}
	}
	a, peer := memoryPipe()
	io.WriteString(peer, "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10")
	err := Server(a, testPKI().server("ecdsa-p256")).Handshake()
	var header RecordHeaderError
	if !errors.As(err, &header) || header.Conn != nil || string(peer.in.data) != "\x15\x03\x01\x00\x02\x02\x46" {
		t.Errorf("a hello of SSL 2.0 was answered with %q: %#v", peer.in.data, err)
	}
}

// limited ends the incoming stream after so many bytes.
type limited struct {
	*memoryConn
	left int
	read int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	n, err := l.memoryConn.Read(p[:min(len(p), l.left)])
	l.left -= n
	l.read += n
	return n, err
}

// Wherever a handshake is cut, both sides end soon, with an error that says so.
func TestHandshakeIsCutAnywhere(t *testing.T) {
	for _, version := range bothVersions {
		for _, cutClient := range []bool{false, true} {
			t.Run(VersionName(version)+map[bool]string{false: "/server", true: "/client"}[cutClient], func(t *testing.T) {
				t.Parallel()
				run := func(n int) (read int, cutErr, otherErr error) {
					client, server := testPKI().client(), testPKI().server("ed25519") // its signatures are always as long
					at(version, client, server)
					client.CurvePreferences = []CurveID{X25519}
					a, b := memoryPipe()
					if cutClient {
						short := &limited{memoryConn: a, left: n}
						cutErr, otherErr = shake(Client(short, client), Server(b, server))
						return short.read, cutErr, otherErr
					}
					short := &limited{memoryConn: b, left: n}
					otherErr, cutErr = shake(Client(a, client), Server(short, server))
					return short.read, cutErr, otherErr
				}
				total, cutErr, otherErr := run(1 << 20)
				if cutErr != nil || otherErr != nil || total < 200 {
					t.Fatal(cutErr, otherErr, total)
				}
				for n := range total {
					_, err, _ := run(n)
					var fault *HandshakeError
					if !errors.As(err, &fault) || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
						t.Fatalf("cut after %d of %d bytes: %v", n, total, err)
					}
				}
			})
		}
	}
}

// A peer that closes in the middle of the handshake is named as such.
func TestCloseNotifyDuringTheHandshake(t *testing.T) {
	a, peer := memoryPipe()
	peer.Write(recordOf(wire.ContentAlert, []byte{1, 0}))
	err := Client(a, testPKI().client()).Handshake()
	if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}
