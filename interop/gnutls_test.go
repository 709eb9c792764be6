package interop

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// gnutls is GnuTLS's gnutls-cli and gnutls-serv.
var gnutls = &peer{
	Name: "gnutls", Programs: []string{"gnutls-cli", "gnutls-serv"}, Package: "gnutls-bin",
	Connect: gnutlsConnect, Serve: gnutlsServe, suites: gnutlsList, quiet: true, lastOnly: true,
	ServerLacks: map[string]string{
		"*MLKEM*": noMLKEM, "ssl3.0": gnutlsSSL3,
		"keyupdate:theirs":   noKeyUpdate,
		"max-fragment:*":     "gnutls-serv 3.7.9 agrees and sends longer records all the same, to OpenSSL too",
		"tls1.[012]+later:*": "gnutls-serv asks for the same in every handshake of a connection",
	},
	ClientLacks: map[string]string{
		"*MLKEM*": noMLKEM, "ssl3.0": gnutlsSSL3,
		"tls1.[01]+re*:dsa": gnutlsDSA, "tls1.[01]+later:dsa": gnutlsDSA,
		"TLS_DHE_PSK_*": gnutlsCrash, "TLS_PSK_DHE_*": gnutlsCrash, "TLS_ECDHE_PSK_*": gnutlsCrash,
		"max-fragment:*": "gnutls-cli asks for a record_size_limit with it, which rules",
	},
}

const (
	gnutlsSSL3  = "Debian builds it without SSL 3.0"
	gnutlsDSA   = "GnuTLS signs with no DSA key of 2048 bits before TLS 1.2"
	gnutlsCrash = "gnutls-cli 3.7.9 crashes after this handshake, with gnutls-serv too"
)

var gnutlsGroups = map[wire.NamedGroup]string{
	wire.GroupX25519: "X25519", wire.GroupP256: "SECP256R1", wire.GroupP384: "SECP384R1", wire.GroupP521: "SECP521R1", wire.GroupX448: "X448",
	wire.GroupFFDHE2048: "FFDHE2048", wire.GroupFFDHE3072: "FFDHE3072", wire.GroupFFDHE4096: "FFDHE4096",
}

var gnutlsVersions = map[string]wire.Version{
	"TLS1.0": wire.TLS10, "TLS1.1": wire.TLS11, "TLS1.2": wire.TLS12, "TLS1.3": wire.TLS13}

var gnutlsLine = regexp.MustCompile(`(?m)^TLS_\S+\s+0x(..), 0x(..)\s+(\S+)`)

// gnutlsList asks the program which suites it has, and from which version on.
var gnutlsList = sync.OnceValue(func() map[wire.CipherSuite]wire.Version {
	out, _ := exec.Command("gnutls-cli", "--list").Output()
	list := map[wire.CipherSuite]wire.Version{}
	for _, m := range gnutlsLine.FindAllStringSubmatch(string(out), -1) {
		id, _ := strconv.ParseUint(m[1]+m[2], 16, 16)
		list[wire.CipherSuite(id)] = gnutlsVersions[m[3]]
	}
	return list
})

// gnutlsNames turn IANA's names of parts of a suite into GnuTLS's.
var gnutlsNames = strings.NewReplacer("PSK_DHE", "DHE-PSK", "DH_anon", "ANON-DH", "ECDH_anon", "ANON-ECDH", "3DES_EDE_CBC", "3DES-CBC", "RC4_", "ARCFOUR-", "_", "-")

// gnutlsPriority is the priority string that leaves only the cell.
func gnutlsPriority(r *run, groups []wire.NamedGroup) string {
	kx, cipher, hash := parts(r.Suite)
	mac := map[string]string{"SHA": "SHA1"}[hash]
	switch {
	case suite.ByID(r.Suite).IsAEAD():
		mac = "AEAD"
	case mac == "":
		mac = hash
	}
	list := []string{"NONE", "CTYPE-X509", "COMP-NULL", gnutlsNames.Replace(cipher), mac, "VERS-" + strings.ToUpper(versionNames[r.Version])}
	if r.Version == wire.TLS13 {
		list = append(list, "ECDHE-RSA", "ECDHE-ECDSA", "DHE-RSA")
	} else {
		list = append(list, gnutlsNames.Replace(kx))
	}
	for _, g := range mapped(groups, gnutlsGroups) {
		list = append(list, "GROUP-"+g)
	}
	priority := strings.Join(append(list, gnutlsSignatures(r)...), ":+") + ":%VERIFY_ALLOW_BROKEN"
	if r.Unsafe {
		priority += ":%DISABLE_SAFE_RENEGOTIATION:%UNSAFE_RENEGOTIATION"
	}
	return priority
}

// gnutlsSignatures are the schemes; the one list holds for both sides' keys.
func gnutlsSignatures(r *run) []string {
	other := []string{"SIGN-ECDSA-SHA256", "SIGN-ECDSA-SHA384", "SIGN-ECDSA-SHA512",
		"SIGN-ECDSA-SECP256R1-SHA256", "SIGN-ECDSA-SECP384R1-SHA384", "SIGN-ECDSA-SECP521R1-SHA512", "SIGN-EDDSA-ED25519"}
	switch {
	case r.Key == keyPKCS1 || r.ClientKey == keyPKCS1:
		return append(other, "SIGN-RSA-SHA256", "SIGN-RSA-SHA384")
	case r.Key == keyPSS || r.ClientKey == keyPSS:
		return append(other, "SIGN-RSA-PSS-RSAE-SHA256", "SIGN-RSA-PSS-RSAE-SHA384")
	}
	return []string{"SIGN-ALL", "SIGN-DSA-SHA1", "SIGN-DSA-SHA256"}
}

var gnutlsListening = regexp.MustCompile(`Echo Server listening on IPv4 .*done`)

func gnutlsServe(r *run) (*server, error) {
	args := []string{"--echo", "--priority", gnutlsPriority(r, r.groups()), "--x509cafile", r.pki.caFile()}
	if r.Key != "" {
		args = append(args, "--x509certfile", r.pki.certFile(r.Key), "--x509keyfile", r.pki.keyFile(r.Key))
	}
	if r.kx().PSK() {
		secrets := filepath.Join(r.dir, "psk")
		if err := os.WriteFile(secrets, []byte(pskIdentity+":"+pskKey+"\n"), 0o600); err != nil {
			return nil, err
		}
		args = append(args, "--pskpasswd", secrets)
	}
	if r.Hint {
		args = append(args, "--pskhint", pskHint)
	}
	if r.DH != 0 {
		args = append(args, "--dhparams", r.pki.dhFile(cell{DH: r.DH}))
	}
	if r.SizeLimit != 0 {
		args = append(args, "--recordsize", strconv.Itoa(r.SizeLimit))
	}
	switch r.Auth {
	case "", "later":
		args = append(args, "--disable-client-cert")
	case "request":
		args = append(args, "--verify-client-cert")
	case "require":
		args = append(args, "--require-client-cert", "--verify-client-cert")
	}
	if r.ALPN {
		args = append(args, "--alpn", alpn)
	}
	if r.Resume == "id" {
		args = append(args, "--noticket")
	}
	p, port, err := r.startOnPort(gnutlsListening, "gnutls-serv", args...)
	if err != nil {
		return nil, err
	}
	return &server{port: port, talk: r.talkEcho, trigger: func(c *conn) error { return gnutlsTrigger(r, c) }, facts: func() ([]facts, error) {
		err := p.awaitCount(r.ctx, "- Channel bindings", r.connections())
		return gnutlsFacts(p.text(), "* Accepted connection"), err
	}}, nil
}

// gnutlsTrigger has gnutls-serv do what the cell has it do midway, by a line
// that it takes for a command, to which it answers by another.
func gnutlsTrigger(r *run, c *conn) error {
	command := "**REHANDSHAKE**\n"
	if r.Auth == "later" {
		command = "**REAUTH**\n"
	}
	if _, err := io.WriteString(c, command); err != nil {
		return err
	}
	return expect(c, []byte("Successfully executed command\n"))
}

func gnutlsConnect(r *run, port int) ([]facts, error) {
	args := []string{"-p", strconv.Itoa(port), "--priority", gnutlsPriority(r, r.clientGroups()), "--x509cafile", r.pki.caFile(),
		"--sni-hostname", serverName, "--verify-hostname", serverName, "--single-key-share", "--inline-commands"}
	if r.ClientKey != "" {
		args = append(args, "--x509certfile", r.pki.certFile(r.ClientKey), "--x509keyfile", r.pki.keyFile(r.ClientKey))
	}
	if r.ALPN {
		args = append(args, "--alpn", alpn)
	}
	if r.kx().PSK() {
		args = append(args, "--pskusername", pskIdentity, "--pskkey", pskKey)
	}
	if r.dhSize() != 0 {
		args = append(args, "--dh-bits", strconv.Itoa(min(r.dhSize(), 2048)))
	}
	if r.SizeLimit != 0 {
		args = append(args, "--recordsize", strconv.Itoa(r.SizeLimit))
	}
	if r.Auth == "later" {
		args = append(args, "--post-handshake-auth")
	}
	switch r.Resume {
	case "id":
		args = append(args, "--resume", "--noticket")
	case "ticket":
		args = append(args, "--resume")
	case "psk":
		args = append(args, "--resume", "--waitresumption")
	}
	p, err := r.start("gnutls-cli", append(args, "127.0.0.1")...)
	if err != nil {
		return nil, err
	}
	if _, err := p.await(r.ctx, regexp.MustCompile(`Simple Client Mode`)); err != nil {
		return nil, err
	}
	if err := gnutlsTalk(r, p); err != nil {
		return nil, err
	}
	if err := gnutlsMidway(r, p); err != nil {
		return nil, err
	}
	if r.rounds() > 1 {
		if err := r.tellChild(p, newLines(1, r.lineLen())); err != nil {
			return nil, err
		}
	}
	if err := p.Close(); err != nil {
		return nil, err
	}
	if err := p.wait(r.ctx); err != nil {
		return nil, err
	}
	return gnutlsFacts(p.text(), "Connecting to '"), nil
}

// gnutlsTalk sends through gnutls-cli. With shorter records it sends one of what
// it reads at once and drops the rest.
func gnutlsTalk(r *run, p *proc) error {
	if r.SizeLimit == 0 {
		return r.talkChild(p, fullLines)
	}
	for range fullLines {
		if err := r.tellChild(p, newLines(1, r.lineLen())); err != nil {
			return err
		}
	}
	return nil
}

// gnutlsMidway has gnutls-cli do what the cell has it do midway.
func gnutlsMidway(r *run, p *proc) error {
	switch {
	case r.KeyUpdate == "theirs":
		if _, err := fmt.Fprint(p, "^rekey^\n"); err != nil {
			return err
		}
		return p.awaitCount(r.ctx, "Rekey was completed", 1)
	case r.Renegotiate == "theirs":
		if _, err := fmt.Fprint(p, "^renegotiate^\n"); err != nil {
			return err
		}
		return p.awaitCount(r.ctx, "- Description: ", r.connections()+1)
	}
	return nil
}

var (
	gnutlsDescription = regexp.MustCompile(`- Description: \(([^-]*)-X\.509\)-\((.*)\)\n`)
	gnutlsOptions     = regexp.MustCompile(`- Options:(.*)\n`)
	gnutlsProtocol    = regexp.MustCompile(`- Application protocol: (.*)\n`)
	gnutlsIdentity    = regexp.MustCompile(`- PSK authentication\. Connected as '(.*)'\n`)
	gnutlsHint        = regexp.MustCompile(`- PSK authentication\. PSK hint '(.*)'\n`)
)

// gnutlsFacts reads what either program prints, a part for each connection,
// each of which begins with start.
func gnutlsFacts(text, start string) (list []facts) {
	for _, about := range strings.Split(text, start)[1:] {
		f := facts{"alpn": "", "reused": yes(strings.Contains(about, "*** This is a resumed session"))}
		for name, pattern := range map[string]*regexp.Regexp{"alpn": gnutlsProtocol, "psk identity": gnutlsIdentity, "psk hint": gnutlsHint} {
			if m := pattern.FindStringSubmatch(about); m != nil {
				f[name] = m[1]
			}
		}
		if m := gnutlsDescription.FindStringSubmatch(about); m != nil {
			f["version"] = gnutlsVersions[m[1]].String()
			gnutlsDescribed(f, strings.Split(m[2], ")-("))
		}
		if m := gnutlsOptions.FindStringSubmatch(about); m != nil && f["version"] != wire.TLS13.String() {
			f["ems"] = yes(strings.Contains(m[1], "extended master secret"))
			f["etm"] = yes(strings.Contains(m[1], "EtM"))
		}
		list = append(list, f)
	}
	return list
}

// gnutlsDescribed reads what stands behind the version in
// "(TLS1.2-X.509)-(ECDHE-X25519)-(RSA-PSS-RSAE-SHA256)-(AES-128-GCM)".
func gnutlsDescribed(f facts, fields []string) {
	if bits, ok := strings.CutPrefix(fields[0], "DHE-CUSTOM"); ok {
		f["dh bits"] = bits
	}
	for group, name := range gnutlsGroups {
		if strings.HasSuffix(fields[0], "-"+name) {
			f["group"] = group.String()
		}
	}
	for _, family := range []struct{ prefix, name string }{
		{"RSA-PSS-RSAE-", "rsa_pss_rsae"}, {"RSA-PSS-", "rsa_pss_pss"}, {"RSA-", "rsa_pkcs1"}, {"ECDSA-", "ecdsa"}, {"DSA-", "dsa"}, {"EdDSA-Ed25519", "ed25519"}, {"EdDSA-Ed448", "ed448"},
	} {
		if len(fields) > 1 && f["signature"] == "" && strings.HasPrefix(fields[1], family.prefix) {
			f["signature"] = family.name
		}
	}
}
