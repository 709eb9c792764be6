package interop

import (
	"crypto/tls"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// openssl is OpenSSL 3.0's s_client and s_server.
var openssl = &peer{
	Name: "openssl", Programs: []string{"openssl"}, Package: "openssl",
	Connect: opensslConnect, Serve: opensslServe,
	ServerLacks: map[string]string{"*MLKEM*": noMLKEM},
	ClientLacks: map[string]string{"*MLKEM*": noMLKEM},
}

// What several peers lack.
const (
	noMLKEM     = "has no ML-KEM in Debian 12's version"
	noKeyUpdate = "cannot be told to update keys"
)

var opensslGroups = map[wire.NamedGroup]string{
	wire.GroupX25519: "X25519", wire.GroupP256: "P-256", wire.GroupP384: "P-384", wire.GroupP521: "P-521",
}

// opensslSuite is OpenSSL's own name of a TLS 1.2 suite, which curl and Node use too.
func opensslSuite(s wire.CipherSuite) string {
	if kx, _, _ := parts(s); kx == "" {
		return s.String()
	}
	return strings.NewReplacer("TLS_RSA_WITH_", "", "TLS_", "", "_WITH_", "-",
		"CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305", "_CBC_", "-", "AES_", "AES", "_", "-").Replace(s.String())
}

var opensslSuites = func() map[string]wire.CipherSuite {
	table := map[string]wire.CipherSuite{}
	for _, s := range append(suites12, suites13...) {
		table[opensslSuite(s)] = s
	}
	return table
}()

// opensslSigalgs is a -sigalgs value for a kind of key; "" leaves the default.
func opensslSigalgs(k keyType) string {
	return map[keyType]string{
		keyPKCS1: "RSA+SHA256:RSA+SHA384:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519",
		keyPSS:   "RSA-PSS+SHA256:RSA-PSS+SHA384:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519",
	}[k]
}

// opensslArgs are the options that both programs share.
func opensslArgs(r *run, groups []wire.NamedGroup) []string {
	args := []string{"-CAfile", r.pki.caFile(), "-groups", strings.Join(mapped(groups, opensslGroups), ":")}
	if r.Version == wire.TLS13 {
		args = append(args, "-tls1_3", "-ciphersuites", opensslSuite(r.Suite))
	} else {
		args = append(args, "-tls1_2", "-cipher", opensslSuite(r.Suite))
	}
	if r.ALPN {
		args = append(args, "-alpn", alpn)
	}
	if r.Resume == "id" {
		args = append(args, "-no_ticket")
	}
	return args
}

var opensslAccept = regexp.MustCompile(`ACCEPT \S+:(\d+)\n`)

func opensslServe(r *run) (*server, error) {
	args := append([]string{"s_server", "-accept", "127.0.0.1:0", "-naccept", strconv.Itoa(r.connections()),
		"-cert", r.pki.certFile(r.Key), "-key", r.pki.keyFile(r.Key), "-verify_return_error"}, opensslArgs(r, r.groups())...)
	if algs := opensslSigalgs(r.Key); algs != "" {
		args = append(args, "-sigalgs", algs)
	}
	if algs := opensslSigalgs(r.ClientKey); algs != "" {
		args = append(args, "-client_sigalgs", algs)
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
	return &server{
		port: port,
		talk: func(c *conn) error {
			if err := r.talkStdio(c, p, fullLines); err != nil || r.KeyUpdate != "theirs" {
				return err
			}
			if err := opensslKeyUpdate(p); err != nil {
				return err
			}
			return r.talkStdio(c, p, 1)
		},
		facts: func() ([]facts, error) {
			if err := p.wait(r.ctx); err != nil {
				return nil, err
			}
			return opensslServerFacts(p.text())
		},
	}, nil
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
		"-verify_hostname", serverName, "-verify_return_error"}, opensslArgs(r, r.clientGroups())...)
	if algs := opensslSigalgs(r.Key); algs != "" {
		args = append(args, "-sigalgs", algs)
	}
	if algs := opensslSigalgs(r.ClientKey); algs != "" {
		args = append(args, "-client_sigalgs", algs)
	}
	if r.ClientKey != "" {
		args = append(args, "-cert", r.pki.certFile(r.ClientKey), "-key", r.pki.keyFile(r.ClientKey))
	}
	if r.KeyUpdate != "theirs" {
		args = append(args, "-nocommands")
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
	opensslCipher = regexp.MustCompile(`(New|Reused), (TLSv1\.[23]), Cipher is (\S+)`)
	opensslTemp   = regexp.MustCompile(`Server Temp Key: (?:ECDH, )?(\w+(?:-\d+)?), `)
	opensslALPN   = regexp.MustCompile(`ALPN protocol: (.*)\n`)
	opensslEMS    = regexp.MustCompile(`Extended master secret: (yes|no)`)
)

// opensslClientFacts reads s_client's output.
func opensslClientFacts(text string) facts {
	f := facts{"alpn": ""}
	if m := opensslCipher.FindStringSubmatch(text); m != nil {
		f["reused"] = yes(m[1] == "Reused")
		version := map[string]uint16{"TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}[m[2]]
		f["version"], f["suite"] = wire.Version(version).String(), opensslSuites[m[3]].String()
	}
	if m := opensslTemp.FindStringSubmatch(text); m != nil {
		f["group"] = map[string]string{"X25519": "x25519", "prime256v1": "secp256r1"}[m[1]]
		if f["group"] == "" {
			f["group"] = m[1]
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
