package interop

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// gnutls is GnuTLS's gnutls-cli and gnutls-serv.
var gnutls = &peer{
	Name: "gnutls", Programs: []string{"gnutls-cli", "gnutls-serv"}, Package: "gnutls-bin",
	Connect: gnutlsConnect, Serve: gnutlsServe,
	ServerLacks: map[string]string{
		"*MLKEM*":          noMLKEM,
		"keyupdate:theirs": noKeyUpdate,
	},
	ClientLacks: map[string]string{
		"*MLKEM*": noMLKEM,
	},
}

var gnutlsGroups = map[wire.NamedGroup]string{
	wire.GroupX25519: "X25519", wire.GroupP256: "SECP256R1", wire.GroupP384: "SECP384R1", wire.GroupP521: "SECP521R1",
}

// gnutlsPriority is the priority string that leaves only the cell.
func gnutlsPriority(r *run, groups []wire.NamedGroup) string {
	kx, cipher, hash := parts(r.Suite)
	mac := map[string]string{"SHA": "SHA1"}[hash]
	if mac == "" {
		mac = hash
	}
	if !r.cbc() {
		mac = "AEAD"
	}
	list := []string{"NONE", "CTYPE-X509", "COMP-NULL", strings.ReplaceAll(cipher, "_", "-"), mac}
	if r.Version == wire.TLS13 {
		list = append(list, "VERS-TLS1.3", "ECDHE-RSA", "ECDHE-ECDSA")
	} else {
		list = append(list, "VERS-TLS1.2", strings.ReplaceAll(kx, "_", "-"))
	}
	for _, g := range mapped(groups, gnutlsGroups) {
		list = append(list, "GROUP-"+g)
	}
	return strings.Join(append(list, gnutlsSignatures(r)...), ":+")
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
	return []string{"SIGN-ALL"}
}

var gnutlsListening = regexp.MustCompile(`Echo Server listening on IPv4 .*done`)

func gnutlsServe(r *run) (*server, error) {
	args := []string{"--echo", "--priority", gnutlsPriority(r, r.groups()),
		"--x509cafile", r.pki.caFile(), "--x509certfile", r.pki.certFile(r.Key), "--x509keyfile", r.pki.keyFile(r.Key)}
	switch r.Auth {
	case "":
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
	return &server{port: port, talk: r.talkEcho, facts: func() ([]facts, error) {
		err := p.awaitCount(r.ctx, "- Channel bindings", r.connections())
		return gnutlsFacts(p.text(), "* Accepted connection"), err
	}}, nil
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
	if err := r.talkChild(p, fullLines); err != nil {
		return nil, err
	}
	if r.KeyUpdate == "theirs" {
		if _, err := fmt.Fprint(p, "^rekey^\n"); err != nil {
			return nil, err
		}
		if _, err := p.await(r.ctx, regexp.MustCompile(`Rekey was completed`)); err != nil {
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
	if err := p.wait(r.ctx); err != nil {
		return nil, err
	}
	return gnutlsFacts(p.text(), "Connecting to '"), nil
}

var (
	gnutlsDescription = regexp.MustCompile(`- Description: \((TLS1\.[23])-X\.509\)-(?:\(([^()]*)\))?-(?:\(([^()]*)\)-)?\(([^()]*)\)`)
	gnutlsOptions     = regexp.MustCompile(`- Options:(.*)\n`)
	gnutlsProtocol    = regexp.MustCompile(`- Application protocol: (.*)\n`)
)

// gnutlsFacts reads what either program prints, a part for each connection,
// each of which begins with start.
func gnutlsFacts(text, start string) (list []facts) {
	for _, about := range strings.Split(text, start)[1:] {
		f := facts{"alpn": "", "reused": yes(strings.Contains(about, "*** This is a resumed session"))}
		if m := gnutlsProtocol.FindStringSubmatch(about); m != nil {
			f["alpn"] = m[1]
		}
		if m := gnutlsDescription.FindStringSubmatch(about); m != nil {
			gnutlsDescribed(f, m)
		}
		if m := gnutlsOptions.FindStringSubmatch(about); m != nil && f["version"] == wire.TLS12.String() {
			f["ems"] = yes(strings.Contains(m[1], "extended master secret"))
			f["etm"] = yes(strings.Contains(m[1], "EtM"))
		}
		list = append(list, f)
	}
	return list
}

// gnutlsDescribed reads "(TLS1.2-X.509)-(ECDHE-X25519)-(RSA-PSS-RSAE-SHA256)-(AES-128-GCM)".
func gnutlsDescribed(f facts, m []string) {
	f["version"] = map[string]string{"TLS1.2": wire.TLS12.String(), "TLS1.3": wire.TLS13.String()}[m[1]]
	for group, name := range gnutlsGroups {
		if strings.HasSuffix(m[2], "-"+name) {
			f["group"] = group.String()
		}
	}
	switch scheme := m[3]; {
	case strings.HasPrefix(scheme, "RSA-PSS-RSAE-"):
		f["signature"] = "rsa_pss_rsae"
	case strings.HasPrefix(scheme, "RSA-"):
		f["signature"] = "rsa_pkcs1"
	case strings.HasPrefix(scheme, "ECDSA-"):
		f["signature"] = "ecdsa"
	case scheme == "EdDSA-Ed25519":
		f["signature"] = "ed25519"
	}
}
