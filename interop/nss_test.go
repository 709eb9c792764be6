package interop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/wire"
)

// nss is NSS's tstclnt and selfserv.
var nss = &peer{
	Name: "nss", Programs: []string{"tstclnt", "selfserv", "certutil", "pk12util", "openssl"}, Package: "libnss3-tools openssl",
	Connect: nssConnect, Serve: nssServe, noEtM: true, noSizeLimit: true, once: true,
	// tstclnt frees its -c twice when it connects twice, and aborts.
	anySuite: func(c cell, ours wire.Role) bool { return ours == wire.Server && c.Resume != "" },
	ServerLacks: map[string]string{
		"*MLKEM*": noMLKEM, "*x448": "NSS has no X448",
		"key:ed448": nssEd448, "re*:ed448": nssEd448, "*PSK*": nssSuites, "*_anon_*": nssSuites, "*_CCM*": nssSuites, "*_CAMELLIA_*_SHA256": nssSuites,
		"key:ed25519": nssEd25519, "re*:ed25519": nssEd25519, "later:ed25519": nssEd25519,
		"resume:*_DSS_*":            "selfserv resumes no session of a DSA key, of tstclnt neither",
		"renegotiate:theirs+resume": "selfserv does not renegotiate where a session has the client's certificate",
		"keyupdate:theirs":          noKeyUpdate, "dh:*": nssDH, "max-fragment:*": "NSS has no max_fragment_length", "unsafe": alwaysSecure,
	},
	ClientLacks: map[string]string{
		"*MLKEM*": noMLKEM, "*x448": "NSS has no X448",
		"key:ed448": nssEd448, "re*:ed448": nssEd448, "*PSK*": nssSuites, "*_anon_*": nssSuites, "*_CCM*": nssSuites, "*_CAMELLIA_*_SHA256": nssSuites,
		"key:ed25519": nssEd25519, "re*:ed25519": nssEd25519, "later:ed25519": nssEd25519,
		"resume:TLS_ECDHE_*_3DES_*": nssOff, "resume:TLS_ECDHE_*_RC4_*": nssOff, "resume:*_WITH_DES_*": nssOff, "resume:TLS_DHE_DSS_*_SHA???": nssOff,
		"resume:*_NULL_*": nssOff, "dh:*": nssDH, "max-fragment:*": "NSS has no max_fragment_length", "unsafe": alwaysSecure,
		"keyupdate:*":         "tstclnt sends its one request before it sees an update, and has none of its own",
		"resume:*_CBC_SHA384": nssOff, "renegotiate:theirs+resume": "tstclnt renegotiates on its first connection only",
		"alpn": "tstclnt has no ALPN option",
	},
}

const (
	nssSuites  = "NSS has no such suite"
	nssEd25519 = "NSS has no Ed25519 in TLS"
	nssEd448   = "NSS has no Ed448"
	nssOff     = "tstclnt has these suites off, and -c breaks its second connection"
	nssDH      = "NSS has RFC 7919's groups only"
)

var nssGroups = map[wire.NamedGroup]string{
	wire.GroupX25519: "x25519", wire.GroupP256: "P256", wire.GroupP384: "P384", wire.GroupP521: "P521",
	wire.GroupFFDHE2048: "FF2048", wire.GroupFFDHE3072: "FF3072", wire.GroupFFDHE4096: "FF4096",
}

// nssKeys are the keys that NSS can hold for TLS, by the option that selfserv
// takes each with.
var nssKeys = map[keyType]string{
	keyRSA: "-n", keyRSA1024: "-n", keyPSSKey: "-n", keyP256: "-e", keyP384: "-e", keyP521: "-e", keyDSA: "-S"}

// nssDB is a database with our CA and all certificates, for both programs.
// nssBareDB has the CA only: tstclnt shows any certificate that it has.
var (
	nssDB     = sync.OnceValues(func() (string, error) { return newNSSDB("nssdb", nssKeys) })
	nssBareDB = sync.OnceValues(func() (string, error) { return newNSSDB("nssdb-bare", nil) })
)

func newNSSDB(name string, keys map[keyType]string) (string, error) {
	material, err := shared()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(workDir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	steps := [][]string{
		{"certutil", "-N", "-d", "sql:" + dir, "--empty-password"},
		{"certutil", "-A", "-d", "sql:" + dir, "-n", "ca", "-t", "CT,,", "-i", material.caFile()},
	}
	for k := range keys {
		steps = append(steps,
			[]string{"openssl", "pkcs12", "-export", "-in", material.certFile(k), "-inkey", material.keyFile(k),
				"-name", string(k), "-passout", "pass:x", "-out", material.pkcs12File(k)},
			[]string{"pk12util", "-i", material.pkcs12File(k), "-d", "sql:" + dir, "-W", "x"})
	}
	for _, step := range steps {
		if out, err := exec.Command(step[0], step[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(step, " "), err, out)
		}
	}
	return "sql:" + dir, nil
}

// nssArgs are the options that both programs share.
func nssArgs(r *run, db func() (string, error), groups []wire.NamedGroup) ([]string, error) {
	dir, err := db()
	if err != nil {
		return nil, err
	}
	version := strings.Replace(versionNames[r.Version], "ssl3.0", "ssl3", 1)
	args := []string{"-d", dir, "-v", "-V", version + ":" + version,
		"-I", strings.Join(mapped(groups, nssGroups), ","), "-G"}
	if r.Resume == "ticket" || r.Resume == "psk" {
		args = append(args, "-u")
	}
	if r.Version == wire.TLS13 && r.Auth == "later" {
		args = append(args, "-E")
	}
	if schemes := nssSchemes(r); schemes != "" {
		args = append(args, "-J", schemes)
	}
	return args, nil
}

func nssSuite(r *run) string { return fmt.Sprintf("-c:%04X", uint16(r.Suite)) }

func nssSchemes(r *run) string {
	const other = ",ecdsa_secp256r1_sha256,ecdsa_secp384r1_sha384,ecdsa_secp521r1_sha512"
	switch {
	case r.Key == keyPKCS1 || r.ClientKey == keyPKCS1:
		return "rsa_pkcs1_sha256,rsa_pkcs1_sha384" + other
	case r.Key == keyPSS || r.ClientKey == keyPSS:
		return "rsa_pss_rsae_sha256,rsa_pss_rsae_sha384" + other
	case r.Key == keyPSSKey || r.ClientKey == keyPSSKey: // not among those that NSS has by default
		return "rsa_pss_pss_sha256,rsa_pss_pss_sha384,rsa_pss_pss_sha512,rsa_pss_rsae_sha256,rsa_pkcs1_sha256" + other
	}
	return ""
}

var nssListening = regexp.MustCompile(`About to call accept`)

func nssServe(r *run) (*server, error) {
	args, err := nssArgs(r, nssDB, r.groups())
	if err != nil {
		return nil, err
	}
	args = append(args, nssSuite(r), "-t", "2", nssKeys[r.Key.base()], string(r.Key.base()))
	// How often -r is given says whether it asks for a certificate or demands
	// it, at first or by handshaking again.
	asks := map[string]int{"request": 1, "require": 2, "later": 4}[r.Auth]
	if r.Renegotiate == "theirs" {
		asks = 3
	}
	args = append(args, slices.Repeat([]string{"-r"}, asks)...)
	if r.ALPN {
		args = append(args, "-Q")
	}
	p, port, err := r.startOnPort(nssListening, "selfserv", args...)
	if err != nil {
		return nil, err
	}
	return &server{port: port, closes: true, talk: func(c *conn) error { return nssTalk(r, c) }, facts: func() ([]facts, error) {
		if err := p.awaitCount(r.ctx, "Compression: ", r.connections()); err != nil {
			return nil, err
		}
		if r.Auth == "later" {
			if err := p.awaitCount(r.ctx, "Subject: CN="+string(r.ClientKey.base())+"\n", r.connections()); err != nil {
				return nil, err
			}
		}
		return nssFacts(p.text(), "selfserv: About to call accept"), nil
	}}, nil
}

// nssTalk gets a page from selfserv, which holds our request, and its end.
func nssTalk(r *run, c *conn) error {
	data := r.payload[:3000]
	if err := r.send(c, fmt.Appendf(nil, "GET / HTTP/1.0\r\nX-Payload: %s\r\n\r\n", data)); err != nil {
		return err
	}
	page, err := io.ReadAll(c)
	if err != nil {
		return fmt.Errorf("after %d bytes of a page: %w", len(page), err)
	}
	if !bytes.Contains(page, data) {
		return errors.New("selfserv's page does not hold our request")
	}
	return nil
}

func nssConnect(r *run, port int) ([]facts, error) {
	db := nssDB
	if r.ClientKey == "" {
		db = nssBareDB
	}
	args, err := nssArgs(r, db, r.clientGroups())
	if err != nil {
		return nil, err
	}
	request := filepath.Join(r.dir, "request")
	get := fmt.Sprintf("GET / HTTP/1.0\r\nX-Payload: %s\r\n\r\n", r.payload[:3000])
	if err := os.WriteFile(request, []byte(get), 0o600); err != nil {
		return nil, err
	}
	args = append(args, "-4", "-h", serverName, "-p", strconv.Itoa(port), "-A", request)
	if r.ClientKey != "" {
		args = append(args, "-n", string(r.ClientKey.base()))
	}
	if r.Renegotiate == "theirs" {
		args = append(args, "-r", "1")
	}
	if r.dhSize() != 0 {
		args = append(args, "-H") // without it, it lists groups of RFC 7919 for TLS 1.3 alone
	}
	if r.Resume != "" {
		args = append(args, "-L", "2")
	} else {
		args = append(args, nssSuite(r))
	}
	p, err := r.start("tstclnt", args...)
	if err != nil {
		return nil, err
	}
	if err := p.wait(r.ctx); err != nil {
		return nil, err
	}
	if n := strings.Count(p.text(), string(r.payload[:3000])); n != r.connections() {
		return nil, fmt.Errorf("tstclnt printed our data %d times", n)
	}
	return nssFacts(p.text(), "tstclnt: connecting to "), nil
}

var (
	nssVersion = regexp.MustCompile(`SSL version (3\.[0-4]) using \d+-bit (\S+) with \d+-bit (\S+) MAC`)
	nssKeyBits = regexp.MustCompile(`Key Exchange: (\d+)-bit (\S+)`)
	nssScheme  = regexp.MustCompile(`Signature Scheme: (rsa_pkcs1|rsa_pss_rsae|rsa_pss_pss|ecdsa|dsa)_`)
)

var nssVersions = map[string]wire.Version{"3.0": wire.SSL30, "3.1": wire.TLS10, "3.2": wire.TLS11, "3.3": wire.TLS12, "3.4": wire.TLS13}

// nssFacts reads what either program prints with -v, a part for each
// connection, each of which begins with start.
func nssFacts(text, start string) (list []facts) {
	for _, about := range strings.Split(text, start)[1:] {
		f := facts{}
		m := nssVersion.FindStringSubmatch(about)
		if m == nil {
			continue
		}
		version := nssVersions[m[1]]
		f["version"] = version.String()
		if version != wire.TLS13 {
			f["ems"] = yes(strings.Contains(about, "Extended Master Secret: Yes"))
		}
		if m := nssKeyBits.FindStringSubmatch(about); m != nil {
			f["group"] = map[string]string{"255": "x25519", "256": "secp256r1", "384": "secp384r1", "521": "secp521r1"}[m[1]]
			if m[2] == "DHE" {
				f["dh bits"] = m[1]
			}
		}
		if f["group"] == "" {
			delete(f, "group")
		}
		if m := nssScheme.FindStringSubmatch(about); m != nil {
			f["signature"] = m[1]
		}
		list = append(list, f)
	}
	return list
}
