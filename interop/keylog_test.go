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
// tshark decrypt them with the key log of one side, and compares what it shows
// with what was sent.
func TestKeyLog(t *testing.T) {
	unlessOff(t)
	for _, program := range []string{"tshark", "dumpcap"} {
		if _, err := exec.LookPath(program); err != nil {
			need(t, program, "tshark")
		}
	}
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range keyLogCells() {
		if why := lacking(tsharkLacks, c); why != "" {
			t.Logf("left out: %s: %s", c, why)
			continue
		}
		side := []wire.Role{wire.Client, wire.Server}[i%2]
		t.Run(c.String()+",by-"+side.String(), func(t *testing.T) {
			t.Parallel()
			err := proveKeyLog(t, material, c, side)
			if errors.Is(err, errNoCapture) && !required() {
				t.Skip(err)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// proveKeyLog makes one connection; logs is the side whose key log is used.
func proveKeyLog(t *testing.T, material *pki, c cell, logs wire.Role) error {
	ctx, cancel := context.WithTimeout(t.Context(), 3*cellTimeout)
	defer cancel()
	dir := t.TempDir()
	keyLog, err := os.Create(filepath.Join(dir, "keylog"))
	if err != nil {
		return err
	}
	defer keyLog.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	capture, err := newCapture(ctx, dir, port)
	if err != nil {
		return err
	}
	sides := map[wire.Role]*us{}
	for _, role := range []wire.Role{wire.Client, wire.Server} {
		sides[role] = &us{cell: c, pki: material, only: true}
	}
	sides[logs].keyLog = keyLog
	there, back := newPayload(fullLines), newPayload(fullLines)
	served := make(chan error, 1)
	go func() { served <- keyLogServe(ctx, sides[wire.Server], ln, there, back) }()
	if err := keyLogDial(ctx, sides[wire.Client], ln.Addr().String(), there, back); err != nil {
		return errors.Join(err, <-served)
	}
	if err := <-served; err != nil {
		return err
	}
	if err := capture.stop(ctx); err != nil {
		return err
	}
	return compareDecrypted(ctx, dir, port, there, back)
}

func keyLogServe(ctx context.Context, u *us, ln net.Listener, there, back []byte) error {
	raw, err := ln.Accept()
	if err != nil {
		return err
	}
	c, err := u.accept(ctx, raw, u.serverConfig())
	if err != nil {
		return err
	}
	defer c.Close()
	if err := expect(c, there); err != nil {
		return err
	}
	if _, err := c.Write(back); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, c)
	return err
}

func keyLogDial(ctx context.Context, u *us, addr string, there, back []byte) error {
	c, err := u.dial(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(there[:len(there)/2]); err != nil {
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
	if _, err := c.Write(there[len(there)/2:]); err != nil {
		return err
	}
	if err := expect(c, back); err != nil {
		return err
	}
	return finish(c)
}

var errNoCapture = errors.New("cannot capture on loopback; root may, and on Debian the members of group wireshark")

// capture is dumpcap on the loopback interface.
type capture struct {
	p    *proc
	file string
}

func newCapture(ctx context.Context, dir string, port int) (*capture, error) {
	c := &capture{file: filepath.Join(dir, "capture.pcapng")}
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

// stop ends the capture once it holds both sides' FIN.
func (c *capture) stop(ctx context.Context) error {
	for {
		out, err := exec.CommandContext(ctx, "tshark", "-r", c.file, "-Y", "tcp.flags.fin==1 || tcp.flags.reset==1", "-T", "fields", "-e", "tcp.srcport").Output()
		if err == nil && len(bytes.Fields(out)) >= 2 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the capture does not hold the end of the connection: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// compareDecrypted has tshark follow the TLS stream and compares both directions.
func compareDecrypted(ctx context.Context, dir string, port int, there, back []byte) error {
	out, err := exec.CommandContext(ctx, "tshark", "-r", filepath.Join(dir, "capture.pcapng"),
		"-o", "tls.keylog_file:"+filepath.Join(dir, "keylog"), "-d", fmt.Sprintf("tcp.port==%d,tls", port),
		"-q", "-z", "follow,tls,raw,0").CombinedOutput()
	if err != nil {
		return fmt.Errorf("tshark: %w\n%s", err, out)
	}
	gotThere, gotBack, err := followed(string(out), port)
	if err != nil {
		return err
	}
	if !bytes.Equal(gotThere, there) || !bytes.Equal(gotBack, back) {
		keyLog, _ := os.ReadFile(filepath.Join(dir, "keylog"))
		return fmt.Errorf("tshark decrypts %d of %d bytes to the server and %d of %d back, or others; the key log:\n%s",
			len(gotThere), len(there), len(gotBack), len(back), keyLog)
	}
	return nil
}

var followNode = regexp.MustCompile(`(?s)Node 0: \S+:(\d+)\nNode 1: \S+\n(.*)`)

// followed reads the output of follow,tls,raw: lines of hexadecimal, those of
// node 1 indented by a tab.
func followed(out string, port int) (there, back []byte, err error) {
	m := followNode.FindStringSubmatch(out)
	if m == nil {
		return nil, nil, fmt.Errorf("tshark follows nothing: %q", out)
	}
	var nodes [2][]byte
	for line := range strings.Lines(m[2]) {
		if strings.HasPrefix(line, "=") {
			continue
		}
		data, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			return nil, nil, fmt.Errorf("tshark printed %q: %w", line, err)
		}
		from := 0
		if strings.HasPrefix(line, "\t") {
			from = 1
		}
		nodes[from] = append(nodes[from], data...)
	}
	if m[1] == strconv.Itoa(port) {
		return nodes[1], nodes[0], nil
	}
	return nodes[0], nodes[1], nil
}
