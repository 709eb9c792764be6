package tls

import (
	stdtls "crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
)

// taped keeps what its side sends, once it does.
type taped struct {
	net.Conn
	keeps bool
	sent  []byte
}

func (t *taped) Write(p []byte) (int, error) {
	if !t.keeps {
		return t.Conn.Write(p)
	}
	t.sent = append(t.sent, p...)
	return len(p), nil
}

// A stream that is cut at any byte, after the handshake: with UnannouncedEnd the data and
// the end are those of crypto/tls, and without it the end is never io.EOF.
func TestUnannouncedEnd(t *testing.T) {
	for _, version := range bothVersions {
		for _, allowed := range []bool{false, true} {
			t.Run(VersionName(version), func(t *testing.T) {
				whole := 0
				for at := 0; ; at++ {
					data, left, err := readCut(t, version, at, func(c net.Conn, config *Config) endpoint {
						config.Legacy.UnannouncedEnd = allowed
						return Client(c, config)
					})
					std, _, stdErr := readCut(t, version, at, func(c net.Conn, config *Config) endpoint { return stdtls.Client(c, toStd(config)) })
					if data != std {
						t.Fatalf("cut at %d: %q, crypto/tls %q", at, data, std)
					}
					if ended := err == io.EOF; ended != (allowed && stdErr == io.EOF) {
						t.Errorf("cut at %d, UnannouncedEnd %v: %v, crypto/tls %v", at, allowed, err, stdErr)
					}
					if err == io.EOF {
						whole++
					} else if !errors.Is(err, ErrUnexpectedEOF) || !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Errorf("cut at %d: %v", at, err)
					}
					if left == 0 {
						break
					}
				}
				if want := map[bool]int{false: 0, true: 3}[allowed]; whole != want { // before, between and after two records
					t.Errorf("UnannouncedEnd %v: %d ends were taken, want %d", allowed, whole, want)
				}
			})
		}
	}
}

// readCut reads all that a client gets of two records of a server whose stream is cut
// after so many of their bytes, and tells how many were left.
func readCut(t *testing.T, version uint16, at int, start func(net.Conn, *Config) endpoint) (data string, left int, err error) {
	t.Helper()
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	server.SessionTicketsDisabled = true
	client.MinVersion, client.MaxVersion = version, version
	a, b := memoryPipe()
	tape := &taped{Conn: b}
	c, s := start(a, client), Server(tape, server)
	if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	tape.keeps = true
	io.WriteString(s, "one")
	io.WriteString(s, "two")
	sent := tape.sent
	at = min(at, len(sent))
	b.Write(sent[:at])
	b.out.end()
	for buf := make([]byte, 16); ; {
		n, err := c.Read(buf)
		if data += string(buf[:n]); err != nil {
			return data, len(sent) - at, err
		}
	}
}
