package interop

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/wire"
)

// keyLogCells are every version, key exchange and kind of suite.
func keyLogCells() []cell {
	l := &rowList{}
	for _, c := range []cell{
		{Version: wire.TLS12, Suite: wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, Group: wire.GroupX25519, Key: keyRSA, NoEtM: true},
		{Version: wire.TLS12, Suite: wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, Group: wire.GroupX25519, Key: keyRSA, NoEtM: true},
		{Version: wire.TLS12, Suite: wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Group: wire.GroupX25519, Key: keyRSA, NoEMS: true},
		{Version: wire.TLS12, Suite: wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Group: wire.GroupX25519, Key: keyRSA, Renegotiate: "ours"},
		{Version: wire.TLS13, Suite: wire.TLS_AES_128_GCM_SHA256, Group: wire.GroupX25519MLKEM768, Key: keyP256},
		{Version: wire.TLS13, Suite: wire.TLS_AES_256_GCM_SHA384, Group: wire.GroupX25519, Key: keyEd25519},
		{Version: wire.TLS13, Suite: wire.TLS_CHACHA20_POLY1305_SHA256, Group: wire.GroupP384, Key: keyRSA},
		{Version: wire.TLS13, Suite: wire.TLS_AES_128_GCM_SHA256, Group: wire.GroupX25519, Key: keyP256, KeyUpdate: "ours"},
	} {
		l.add(c, func(*cell) {})
	}
	for _, v := range versions {
		seen := map[string]bool{}
		for _, s := range suitesOf(v) {
			kx, cipher, hash := parts(s)
			if !seen[kx] || !seen[cipher+hash] {
				l.add(bases[v], func(c *cell) { c.Suite = s })
			}
			seen[kx], seen[cipher+hash] = true, true
		}
		if v != wire.TLS13 {
			l.add(bases[v], func(c *cell) { c.Compress = true })
		}
	}
	return l.list
}

// tsharkLacks says what tshark cannot decrypt, as peer.ServerLacks does.
var tsharkLacks = map[string]string{
	"TLS_ECDHE_PSK_WITH_AES_*_[GC]CM_*": "tshark 4.0 does not know these suites",
}

// TestKeyLog captures connections between our client and our server, has
// tshark decrypt them with the key log of one side of each, and compares what it
// shows with what was sent. tshark takes a second to start, so it sees all at once.
func TestKeyLog(t *testing.T) {
	programs.SkipIfOff(t)
	for _, program := range []string{"tshark", "dumpcap"} {
		if _, err := exec.LookPath(program); err != nil {
			need(t, program, "tshark")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*cellTimeout)
	defer cancel()
	dir := t.TempDir()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	capture, err := newCapture(ctx, dir, ln.Addr().(*net.TCPAddr).Port)
	if errors.Is(err, errNoCapture) && !programs.Required() {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	streams := makeLogged(ctx, t, ln, capture.keyLog)
	if err := capture.stop(ctx, len(streams)); err != nil {
		t.Fatal(err)
	}
	decrypted, err := capture.decrypt(ctx, len(streams))
	if err != nil {
		t.Fatal(err)
	}
	compareCapture(ctx, t, capture, streams)
	for i, s := range streams {
		t.Run(s.String(), func(t *testing.T) {
			if !bytes.Equal(decrypted[i].there, s.there) || !bytes.Equal(decrypted[i].back, s.back) {
				keyLog, _ := os.ReadFile(capture.keyLog)
				t.Errorf("tshark decrypts %d of %d bytes to the server and %d of %d back, or others; the key log:\n%s",
					len(decrypted[i].there), len(s.there), len(decrypted[i].back), len(s.back), keyLog)
			}
		})
	}
}

// logged is a connection of which one side has logged its keys.
type logged struct {
	cell
	logs        wire.Role
	there, back []byte // what was sent to the server, and what it sent
}

func (s *logged) String() string { return s.cell.String() + ",by-" + s.logs.String() }

// makeLogged makes a connection for each cell.
func makeLogged(ctx context.Context, t *testing.T, ln net.Listener, keyLog string) (streams []*logged) {
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(keyLog)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for i, c := range keyLogCells() {
		if why := lacking(tsharkLacks, c); why != "" {
			t.Logf("left out: %s: %s", c, why)
			continue
		}
		s := &logged{cell: c, logs: []wire.Role{wire.Client, wire.Server}[i%2], there: newPayload(fullLines), back: newPayload(fullLines)}
		if err := s.connect(ctx, ln, material, log); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		streams = append(streams, s)
	}
	return streams
}

func (s *logged) connect(ctx context.Context, ln net.Listener, material *pki, keyLog io.Writer) error {
	sides := map[wire.Role]*us{}
	for _, role := range []wire.Role{wire.Client, wire.Server} {
		sides[role] = &us{cell: s.cell, pki: material, only: true}
	}
	sides[s.logs].keyLog = keyLog
	served := make(chan error, 1)
	go func() { served <- s.serve(ctx, sides[wire.Server], ln) }()
	err := s.dial(ctx, sides[wire.Client], ln.Addr().String())
	return errors.Join(err, <-served)
}

func (s *logged) serve(ctx context.Context, u *us, ln net.Listener) error {
	raw, err := ln.Accept()
	if err != nil {
		return err
	}
	c, err := u.accept(ctx, raw, u.serverConfig())
	if err != nil {
		return err
	}
	defer c.Close()
	if err := expect(c, s.there); err != nil {
		return err
	}
	if _, err := c.Write(s.back); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, c)
	return err
}

func (s *logged) dial(ctx context.Context, u *us, addr string) error {
	c, err := u.dial(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(s.there[:len(s.there)/2]); err != nil {
		return err
	}
	if got := c.State().Compression == wire.CompressionDeflate; got != u.Compress {
		return fmt.Errorf("compression: %v, want %v", got, u.Compress)
	}
	if u.acts(wire.Client) {
		if err := c.act(ctx); err != nil {
			return err
		}
	}
	if _, err := c.Write(s.there[len(s.there)/2:]); err != nil {
		return err
	}
	if err := expect(c, s.back); err != nil {
		return err
	}
	return finish(c)
}

var errNoCapture = errors.New("cannot capture on loopback; root may, and on Debian the members of group wireshark")

// tapped is dumpcap on the loopback interface.
type tapped struct {
	p            *proc
	port         int // of the server
	file, keyLog string
}

func newCapture(ctx context.Context, dir string, port int) (*tapped, error) {
	c := &tapped{port: port, file: filepath.Join(dir, "capture.pcapng"), keyLog: filepath.Join(dir, "keylog")}
	p, err := start(ctx, dir, "dumpcap", "-i", loopback(), "-p", "-f", fmt.Sprintf("tcp port %d", port), "-w", c.file)
	if err != nil {
		return nil, err
	}
	c.p = p
	if _, err := p.await(ctx, regexp.MustCompile(`File: `)); err != nil {
		return nil, fmt.Errorf("%w: %w\n%s", errNoCapture, err, p.text())
	}
	return c, nil
}

// loopback is the name of the loopback interface.
func loopback() string {
	list, _ := net.Interfaces()
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	return "lo"
}

// stop ends the capture once it holds both ends of so many connections.
func (c *tapped) stop(ctx context.Context, streams int) error {
	for {
		out, err := exec.CommandContext(ctx, "tshark", "-r", c.file, "-Y", "tcp.flags.fin==1 || tcp.flags.reset==1", "-T", "fields", "-e", "tcp.srcport", "-e", "tcp.dstport").Output()
		ends := map[string]bool{}
		for line := range strings.Lines(string(out)) {
			ends[line] = true
		}
		if err == nil && len(ends) >= 2*streams {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the capture holds %d of %d ends of connections: %w", len(ends), 2*streams, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// both is what went to the server and what came back.
type both struct{ there, back []byte }

// decrypt has tshark follow the TLS streams.
func (c *tapped) decrypt(ctx context.Context, streams int) ([]both, error) {
	args := []string{"-r", c.file, "-o", "tls.keylog_file:" + c.keyLog, "-d", fmt.Sprintf("tcp.port==%d,tls", c.port), "-q"}
	for i := range streams { // which were made one after the other
		args = append(args, "-z", fmt.Sprintf("follow,tls,raw,%d", i))
	}
	out, err := exec.CommandContext(ctx, "tshark", args...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("tshark: %w\n%s", err, out)
	}
	all := make([]both, streams)
	for _, text := range strings.Split(string(out), "Follow: tls,raw\n")[1:] {
		i, what, err := c.followed(text)
		if err != nil {
			return nil, err
		}
		all[i] = what
	}
	return all, nil
}

var followNodes = regexp.MustCompile(`(?s)^Filter: tcp.stream eq (\d+)\nNode 0: \S+:(\d+)\nNode 1: \S*:\d+\n(.*)`)

// followed reads what follow,tls,raw prints of a stream: lines of hexadecimal, those of
// node 1 indented by a tab.
func (c *tapped) followed(text string) (i int, what both, err error) {
	m := followNodes.FindStringSubmatch(text)
	if m == nil {
		return 0, both{}, fmt.Errorf("tshark follows nothing: %.200q", text)
	}
	i, err = strconv.Atoi(m[1])
	if err != nil {
		return 0, both{}, err
	}
	var nodes [2][]byte
	for line := range strings.Lines(m[3]) {
		if strings.HasPrefix(line, "=") {
			continue
		}
		data, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			return 0, both{}, fmt.Errorf("tshark printed %.200q: %w", line, err)
		}
		from := 0
		if strings.HasPrefix(line, "\t") {
			from = 1
		}
		nodes[from] = append(nodes[from], data...)
	}
	if m[2] == strconv.Itoa(c.port) {
		return i, both{nodes[1], nodes[0]}, nil
	}
	return i, both{nodes[0], nodes[1]}, nil
}
