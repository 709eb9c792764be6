package interop

import (
	"bufio"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// openssl is OpenSSL 3.0's s_client and s_server.
var openssl = &peer{
	Name: "openssl", Programs: []string{"openssl"}, Package: "openssl",
	Connect: opensslConnect, Serve: opensslServe, suites: opensslList,
	remarks: []string{"RENEGOTIATING\n", "Read BLOCK\n", "SSL_do_handshake -> 1\n"},
	ServerLacks: map[string]string{
		"*MLKEM*": noMLKEM, "ssl3.0": opensslSSL3, "unsafe": alwaysSecure,
		"size-limit:*": "OpenSSL has no record_size_limit",
	},
	ClientLacks: map[string]string{
		"*MLKEM*": noMLKEM, "ssl3.0": opensslSSL3, "unsafe": alwaysSecure,
		"size-limit:*": "OpenSSL has no record_size_limit",
	},
}

// What several peers lack.
const (
	noMLKEM      = "has no ML-KEM in Debian 12's version"
	noKeyUpdate  = "cannot be told to update keys"
	opensslSSL3  = "Debian builds it without SSL 3.0"
	alwaysSecure = "has no switch to leave RFC 5746 out"
	noSuite      = "this build has no such suite"
	noLater      = "cannot be told to ask for or show a certificate midway"
)

var opensslGroups = map[wire.NamedGroup]string{
	wire.GroupX25519: "X25519", wire.GroupP256: "P-256", wire.GroupP384: "P-384", wire.GroupP521: "P-521", wire.GroupX448: "X448",
	wire.GroupFFDHE2048: "ffdhe2048", wire.GroupFFDHE3072: "ffdhe3072", wire.GroupFFDHE4096: "ffdhe4096",
}

// opensslVersions are the versions as OpenSSL and Node print them.
var opensslVersions = map[string]wire.Version{
	"SSLv3": wire.SSL30, "TLSv1": wire.TLS10, "TLSv1.1": wire.TLS11, "TLSv1.2": wire.TLS12, "TLSv1.3": wire.TLS13}

// opensslSuite is OpenSSL's own name of a suite, which curl and Node use too.
func opensslSuite(s wire.CipherSuite) string { return suite.ByID(s).OpenSSLName }

// opensslSuites names a suite by OpenSSL's name.
func opensslSuites(name string) string {
	if s := suite.ByName(name); s != nil {
		return s.ID.String()
	}
	return name
}

// everything is a cipher string that enables whatever a build has.
const everything = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"

var opensslLine = regexp.MustCompile(`(?m)^\s*0x(..),0x(..) - \S+\s+(\S+)`)

// opensslList asks the program which suites it has, and from which version on.
var opensslList = sync.OnceValue(func() map[wire.CipherSuite]wire.Version {
	var names []string
	for _, s := range suitesOf(wire.TLS13) {
		names = append(names, s.String())
	}
	out, _ := exec.Command("openssl", "ciphers", "-V", "-ciphersuites", strings.Join(names, ":"), everything).Output()
	list := map[wire.CipherSuite]wire.Version{}
	for _, m := range opensslLine.FindAllStringSubmatch(string(out), -1) {
		id, _ := strconv.ParseUint(m[1]+m[2], 16, 16)
		list[wire.CipherSuite(id)] = opensslVersions[m[3]]
	}
	return list
})

// opensslSigalgs is a -sigalgs value for a kind of key; "" leaves the default.
func opensslSigalgs(k keyType) string {
	return map[keyType]string{
		keyPKCS1: "RSA+SHA256:RSA+SHA384:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519",
		keyPSS:   "RSA-PSS+SHA256:RSA-PSS+SHA384:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519",
	}[k]
}

// opensslArgs are the options that both programs share.
func opensslArgs(r *run, groups []wire.NamedGroup) []string {
	version := map[wire.Version]string{wire.TLS10: "-tls1", wire.TLS11: "-tls1_1", wire.TLS12: "-tls1_2", wire.TLS13: "-tls1_3"}
	args := []string{version[r.Version], "-CAfile", r.pki.caFile(), "-groups", strings.Join(mapped(groups, opensslGroups), ":")}
	if r.Version == wire.TLS13 {
		args = append(args, "-ciphersuites", opensslSuite(r.Suite))
	} else {
		args = append(args, "-cipher", opensslSuite(r.Suite)+":@SECLEVEL=0")
	}
	if r.kx().PSK() {
		args = append(args, "-psk", pskKey, "-psk_identity", pskIdentity)
	}
	if r.ALPN {
		args = append(args, "-alpn", alpn)
	}
	if r.Resume == "id" {
		args = append(args, "-no_ticket")
	}
	if algs := opensslSigalgs(r.Key); algs != "" {
		args = append(args, "-sigalgs", algs)
	}
	if algs := opensslSigalgs(r.ClientKey); algs != "" {
		args = append(args, "-client_sigalgs", algs)
	}
	return args
}

var opensslAccept = regexp.MustCompile(`ACCEPT \S+:(\d+)\n`)

func opensslServe(r *run) (*server, error) {
	args := append([]string{"s_server", "-accept", "127.0.0.1:0", "-naccept", strconv.Itoa(r.connections()),
		"-verify_return_error", "-no_resumption_on_reneg"}, opensslArgs(r, r.groups())...)
	if r.Key != "" {
		args = append(args, "-cert", r.pki.certFile(r.Key), "-key", r.pki.keyFile(r.Key))
	} else {
		args = append(args, "-nocert")
	}
	if r.dhSize() != 0 {
		args = append(args, "-dhparam", r.pki.dhFile(cell{Group: r.Group, DH: r.DH}))
	}
	if r.Hint {
		args = append(args, "-psk_hint", pskHint)
	}
	if r.Renegotiate == "ours" {
		args = append(args, "-client_renegotiation")
	}
	switch r.Auth {
	case "request":
		args = append(args, "-verify", "3")
	case "require":
		args = append(args, "-Verify", "3")
	}
	p, err := r.start("openssl", args...)
	if err != nil {
		return nil, err
	}
	found, err := p.await(r.ctx, opensslAccept)
	if err != nil {
		return nil, err
	}
	port, _ := strconv.Atoi(found[1])
	lines := fullLines
	return &server{
		port: port,
		talk: func(c *conn) error { return r.talkStdio(c, p, lines) },
		trigger: func(*conn) error {
			if r.KeyUpdate != "" {
				lines = 1
			}
			return opensslTrigger(r, p)
		},
		facts: func() ([]facts, error) {
			if err := p.wait(r.ctx); err != nil {
				return nil, err
			}
			if shown := "depth=0 CN = " + string(r.ClientKey.base()) + "\n"; r.Auth == "later" && !strings.Contains(p.text(), shown) {
				return nil, fmt.Errorf("s_server did not verify our certificate")
			}
			return opensslServerFacts(p.text())
		},
	}, nil
}

// opensslTrigger has s_server do what the cell has it do midway, by a letter
// that it takes for a command once data has passed.
func opensslTrigger(r *run, p *proc) error {
	command := map[bool]string{true: "r", false: "R"}[r.Renegotiate != ""]
	switch {
	case r.KeyUpdate != "":
		return opensslKeyUpdate(p)
	case r.Version == wire.TLS13:
		command = "c"
	}
	_, err := io.WriteString(p, command+"\n")
	return err
}

// opensslKeyUpdate has the child send a KeyUpdate that asks for ours: both
// programs do so on a line K, but not before any data has passed. They print
// remarks between the records that follow, so those must be one at a time.
func opensslKeyUpdate(p *proc) error {
	_, err := io.WriteString(p, "K\n")
	return err
}

var opensslSession = regexp.MustCompile(`(?s)-----BEGIN SSL SESSION PARAMETERS-----.*?-----END SSL SESSION PARAMETERS-----\n`)

// opensslServerFacts reads what s_server prints of each connection: its
// session in ASN.1, then lines of text.
func opensslServerFacts(text string) (list []facts, err error) {
	starts := opensslSession.FindAllStringIndex(text, -1)
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		about := text[at[1]:end]
		f := facts{"reused": yes(strings.Contains(about, "\nReused session-id\n"))}
		if err := opensslSessionFacts(f, text[at[0]:at[1]]); err != nil {
			return nil, err
		}
		f["client certificate"] = yes(strings.Contains(about, "Client certificate\n"))
		if f["reused"] == "no" && i == 0 {
			f["alpn"] = ""
			if strings.Contains(text[:at[0]], "ALPN protocols selected: "+alpn+"\n") {
				f["alpn"] = alpn
			}
		}
		list = append(list, f)
	}
	return list, nil
}

// opensslSessionFacts reads an SSL_SESSION: version, SSL version, cipher, and
// in [13] flags of which 1 is the extended master secret.
func opensslSessionFacts(f facts, text string) error {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return fmt.Errorf("s_server's session is not PEM: %q", text)
	}
	var session struct {
		Format, Version int
		Cipher          []byte
	}
	var all asn1.RawValue
	if _, err := asn1.Unmarshal(block.Bytes, &all); err != nil {
		return err
	}
	rest := all.Bytes
	for _, field := range []any{&session.Format, &session.Version, &session.Cipher} {
		var err error
		if rest, err = asn1.Unmarshal(rest, field); err != nil {
			return err
		}
	}
	f["version"] = wire.Version(session.Version).String()
	f["suite"] = wire.CipherSuite(uint16(session.Cipher[0])<<8 | uint16(session.Cipher[1])).String()
	f["ems"] = "no"
	for len(rest) > 0 {
		var field asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &field); err != nil {
			return err
		}
		if field.Class == asn1.ClassContextSpecific && field.Tag == 13 {
			f["ems"] = yes(field.Bytes[len(field.Bytes)-1]&1 != 0)
		}
	}
	return nil
}

func opensslConnect(r *run, port int) ([]facts, error) {
	var list []facts
	for n := range r.connections() {
		p, err := opensslDial(r, port, n)
		if err != nil {
			return nil, fmt.Errorf("connection %d: %w", n+1, err)
		}
		list = append(list, opensslClientFacts(p.text()))
	}
	return list, nil
}

func opensslDial(r *run, port, n int) (*proc, error) {
	args := append([]string{"s_client", "-connect", fmt.Sprintf("127.0.0.1:%d", port), "-servername", serverName,
		"-verify_hostname", serverName, "-verify_return_error", "-enable_pha"}, opensslArgs(r, r.clientGroups())...)
	if r.ClientKey != "" {
		args = append(args, "-cert", r.pki.certFile(r.ClientKey), "-key", r.pki.keyFile(r.ClientKey))
	}
	if r.KeyUpdate != "theirs" && r.Renegotiate != "theirs" {
		args = append(args, "-nocommands")
	}
	if r.MaxFragment != 0 {
		args = append(args, "-maxfraglen", strconv.Itoa(r.MaxFragment))
	}
	if r.Resume != "" {
		args = append(args, []string{"-sess_out", "-sess_in"}[n], filepath.Join(r.dir, "session"))
	}
	p, err := r.start("openssl", args...)
	if err != nil {
		return nil, err
	}
	if err := r.talkChild(p, fullLines); err != nil {
		return nil, err
	}
	if r.KeyUpdate == "theirs" {
		if err := opensslKeyUpdate(p); err != nil {
			return nil, err
		}
		// s_client drops what it reads before the update is through, of which it
		// says nothing.
		time.Sleep(300 * time.Millisecond)
	}
	if r.Renegotiate == "theirs" {
		if _, err := io.WriteString(p, "R\n"); err != nil {
			return nil, err
		}
		if err := p.awaitCount(r.ctx, "RENEGOTIATING\n", 1); err != nil { // it drops what it reads with the command
			return nil, err
		}
	}
	if r.rounds() > 1 {
		if err := r.talkChild(p, 1); err != nil {
			return nil, err
		}
	}
	if err := p.Close(); err != nil {
		return nil, err
	}
	return p, p.wait(r.ctx)
}

var (
	opensslCipher   = regexp.MustCompile(`(New|Reused), (\S+), Cipher is (\S+)`)
	opensslProtocol = regexp.MustCompile(`Protocol  : (\S+)`)
	opensslTemp     = regexp.MustCompile(`Server Temp Key: (?:ECDH, )?(\w+(?:-\d+)?), (\d+) bits`)
	opensslALPN     = regexp.MustCompile(`ALPN protocol: (.*)\n`)
	opensslEMS      = regexp.MustCompile(`Extended master secret: (yes|no)`)
	opensslPSK      = regexp.MustCompile(`PSK identity: (.*)\n\s*PSK identity hint: (.*)\n`)
)

// opensslClientFacts reads s_client's output. What it prints in place of the
// version is the suite's first one, except in TLS 1.3.
func opensslClientFacts(text string) facts {
	f := facts{"alpn": ""}
	if m := opensslCipher.FindStringSubmatch(text); m != nil {
		f["reused"], f["suite"] = yes(m[1] == "Reused"), opensslSuites(m[3])
		if m[2] == "TLSv1.3" {
			f["version"] = wire.TLS13.String()
		} else if m := opensslProtocol.FindStringSubmatch(text); m != nil {
			f["version"] = opensslVersions[m[1]].String()
		}
	}
	if m := opensslTemp.FindStringSubmatch(text); m != nil {
		switch m[1] {
		case "X25519", "X448":
			f["group"] = strings.ToLower(m[1])
		case "prime256v1":
			f["group"] = "secp256r1"
		case "DH":
			f["dh bits"] = m[2]
		default:
			f["group"] = m[1]
		}
	}
	if m := opensslPSK.FindStringSubmatch(text); m != nil {
		f["psk identity"] = m[1]
		if m[2] != "None" {
			f["psk hint"] = m[2]
		}
	}
	if m := opensslALPN.FindStringSubmatch(text); m != nil {
		f["alpn"] = m[1]
	}
	if m := opensslEMS.FindStringSubmatch(text); m != nil {
		f["ems"] = m[1]
	}
	return f
}

// startServer starts an s_server, to the end of the test, and returns its port and the rest of what it prints.
func startServer(t *testing.T, cmd *exec.Cmd) (lines *bufio.Scanner, port string) {
	t.Helper()
	stdin, err := cmd.StdinPipe() // at whose end it goes
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	for lines = bufio.NewScanner(out); lines.Scan(); {
		if m := opensslAccept.FindStringSubmatch(lines.Text() + "\n"); m != nil {
			return lines, m[1]
		}
	}
	t.Fatal("s_server does not listen", lines.Err())
	return nil, ""
}
